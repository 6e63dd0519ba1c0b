"""Connections to a venue: opened, watched, replaced before they expire, and read into one bounded buffer."""
