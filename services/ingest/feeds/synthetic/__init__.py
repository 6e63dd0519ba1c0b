"""Synthetic feed: a made-up market, the same for everyone with the same seed."""
