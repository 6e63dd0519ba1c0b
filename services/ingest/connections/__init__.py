"""Sockets to a venue: opened, watched, replaced before they end, and read into one bounded buffer."""
