"""Bars: kept equal to their ticks on plain PostgreSQL and on TimescaleDB, and storage policies."""
