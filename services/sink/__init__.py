"""Sink: writes ticks, signals, alerts and gaps to PostgreSQL, and keeps bars current."""
