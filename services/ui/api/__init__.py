"""Boundary to the API: client, types, stream follower, and poll cache."""
