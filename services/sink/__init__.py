"""Write the topics ``ticks``, ``signals`` and ``alerts`` to PostgreSQL, with bars kept current."""
