"""Health page: services, tapes, delivery lag, gaps and losses."""

from services.ui.pages.health.layout import layout, register
from services.ui.pages.health.view import HealthView
from services.ui.state.page_context import Page

PAGE = Page("health", "/health", "Health", layout, HealthView, register)
