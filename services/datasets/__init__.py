"""Uploaded history: OHLCV csv as people have it, read into datasets apart from everything live."""
