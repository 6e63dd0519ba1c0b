"""Pairs page: legs, spread and z-score of a pair."""

from services.ui.pages.pairs.layout import layout, register
from services.ui.pages.pairs.view import PairsView
from services.ui.state.page_context import Page

PAGE = Page("pairs", "/pairs", "Pairs", layout, PairsView, register)
