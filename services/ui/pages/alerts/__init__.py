"""Alerts page: thresholds, firing alerts, history."""

from services.ui.pages.alerts.layout import layout, register
from services.ui.pages.alerts.view import AlertsView
from services.ui.state.page_context import Page

PAGE = Page("alerts", "/alerts", "Alerts", layout, AlertsView, register)
