"""Market page: symbols, and candles of one."""

from services.ui.pages.market.layout import layout, register
from services.ui.pages.market.view import MarketView
from services.ui.state.page_context import Page

PAGE = Page("market", "/", "Market", layout, MarketView, register)
