"""Radar page: every pair of all that is collected, tested again and again."""

from services.ui.pages.radar.callbacks import register
from services.ui.pages.radar.layout import layout
from services.ui.pages.radar.view import RadarView
from services.ui.state.page_context import Page

PAGE = Page("radar", "/radar", "Radar", layout, RadarView, register)
