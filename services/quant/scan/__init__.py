"""Cointegration scans: every pair of many symbols at once, and which of them survive having been looked for."""
