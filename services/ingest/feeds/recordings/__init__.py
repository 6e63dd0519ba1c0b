"""Recordings of a venue's frames: written, and read as they came."""
