"""Write ticks, signals, alerts and gaps to PostgreSQL, with bars kept current."""
