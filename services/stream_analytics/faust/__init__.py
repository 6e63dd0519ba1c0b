"""Faust: the app, and the work-arounds that its settings do not reach."""
