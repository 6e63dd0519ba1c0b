"""Venues: addresses, frames, limits and history, one package for each behind the protocol in ``venue``."""
