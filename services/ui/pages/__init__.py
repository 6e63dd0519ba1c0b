"""Pages of the dashboard, in the order of its menu."""

from services.ui.pages import (
    alerts,
    delivery,
    health,
    market,
    overview,
    pairs,
    programs,
    radar,
    rules,
    upload,
    wall,
)
from services.ui.state.page_context import Page

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    wall.PAGE,
    market.PAGE,
    pairs.PAGE,
    radar.PAGE,
    alerts.PAGE,
    rules.PAGE,
    delivery.PAGE,
    upload.PAGE,
    health.PAGE,
    programs.PAGE,
)
