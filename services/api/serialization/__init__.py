"""Serialization of tables: pages, cursors, and rows as JSON, CSV or Parquet."""
