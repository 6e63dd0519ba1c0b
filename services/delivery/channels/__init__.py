"""Channels: how a message goes to a target of each kind."""
