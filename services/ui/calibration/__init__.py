"""Calibration of a pair's z-score: query, presenter, panel."""
