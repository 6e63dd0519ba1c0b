"""Venue feed -> ``ticks``: every trade once, with the venue's own ids and times."""
