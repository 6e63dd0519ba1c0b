"""Analyses of a pair over a history: regression, evidence for mean reversion, verdict, calibration."""
