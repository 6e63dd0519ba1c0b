"""Wall page: up to twelve pairs in big numbers, for a screen that nobody touches."""

from services.ui.pages.wall.layout import layout
from services.ui.pages.wall.view import WallView
from services.ui.state.page_context import Page

PAGE = Page("wall", "/wall", "Wall", layout, WallView, in_menu=False)
