"""Widgets: components that several pages share."""
