"""Correlations: rolling, of many symbols, and of legs that trade at different times."""
