"""``pairstream export``: stored rows as CSV or Parquet files."""
