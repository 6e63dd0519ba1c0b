"""Overview page: every watched pair in one table that can be sorted and filtered."""

from services.ui.pages.overview.layout import layout, register
from services.ui.pages.overview.view import OverviewView
from services.ui.state.page_context import Page

PAGE = Page("overview", "/overview", "Overview", layout, OverviewView, register)
