"""Tape completeness: which trades were missed, which were repaired, and the coverage."""
