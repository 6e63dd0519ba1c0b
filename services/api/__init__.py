"""HTTP API: the store and the topics as JSON, as CSV and as a live stream."""
