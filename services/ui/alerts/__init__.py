"""Alerts on every page: toasts and actions."""
