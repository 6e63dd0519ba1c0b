"""Record of a rule: what its incidents of the last week were worth, and the way to them."""

from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from services.common import clock
from services.common.errors import BadMessageError, TransientError
from services.ui.api.client import segment
from services.ui.api.types import RuleStatistics
from services.ui.pages.rules import listing
from services.ui.state.page_context import PageContext
from services.ui.widgets.formatting import NONE, lasted

SPAN_US = 7 * 24 * clock.HOUR


async def read(site: PageContext, rule_id: str) -> list[Component]:
    """Return what is shown of a rule that is stored."""
    end_us = max(listing.newest_us(site), site.now().us)
    path = f"{listing.PATH}/{segment(rule_id)}/statistics"
    try:
        found = await site.client.read(path, RuleStatistics, start=end_us - SPAN_US, end=end_us)
    except (TransientError, BadMessageError) as error:
        return [html.Div(f"Its record cannot be read: {error}")]
    way = html.A("Its incidents", href=f"/alerts?{urlencode({'rule': rule_id})}", className="inside")
    return [html.Dl([html.Div([html.Dt(name), html.Dd(text)]) for name, text in numbers(found)]), way]


def numbers(found: RuleStatistics) -> list[tuple[str, str]]:
    """Return what is told of the statistics, each with its name."""
    at_least = "\N{GREATER-THAN OR EQUAL TO} " if found.truncated else ""
    return [
        ("Fired", f"{at_least}{found.fired}"),
        ("Open", str(found.open)),
        ("Median", NONE if found.median_s is None else lasted(found.median_s)),
        ("Longest", NONE if found.longest_s is None else lasted(found.longest_s)),
        ("Flaps", str(found.flaps)),
        ("Acknowledged", str(found.acknowledged)),
        ("False alarms", str(found.marked_false)),
        ("Retracted", str(found.retracted)),
    ]
