"""Estimators of the hedge ratio behind one protocol: ``update()`` and ``get()``."""
