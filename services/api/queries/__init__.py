"""Queries: reads of the store as rows and series."""
