"""Alerts on every page: toasts, and what can be done about one."""
