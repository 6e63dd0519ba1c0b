"""Programs page: how programs use what the pages show."""

from services.ui.pages.programs.layout import layout, register
from services.ui.pages.programs.view import ProgramsView
from services.ui.state.page_context import Page

PAGE = Page("programs", "/programs", "For programs", layout, ProgramsView, register)
