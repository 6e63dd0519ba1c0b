"""Recordings of a venue's frames: writer and reader."""
