"""Analyses of a pair over a history: the line, the evidence for mean reversion, the verdict, the calibration."""
