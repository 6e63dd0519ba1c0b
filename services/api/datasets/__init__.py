"""Uploaded history: what there is of it, and its bars beside those of the market."""
