"""Scans of stored history: the closes, the run, and what is stored of it."""
