"""Tables as they leave: pages, cursors, and rows as JSON, CSV or Parquet."""
