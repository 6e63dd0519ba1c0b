"""Chart series, buffered and shared by every session."""
