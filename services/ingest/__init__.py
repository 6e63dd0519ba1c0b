"""Venue feed -> ``ticks``: every trade once, in the venue's own numbers."""
