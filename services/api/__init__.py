"""Store and topics to HTTP: what pairstream knows, as JSON, as CSV and as a live stream."""
