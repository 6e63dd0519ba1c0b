"""Datasets: OHLCV csv files of any usual dialect, stored apart from live history."""
