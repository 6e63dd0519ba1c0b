"""Trial of a rule over the last stored hour: one sentence, and its firings."""

from statistics import median

from dash import html
from dash.development.base_component import Component

from services.common import clock
from services.ui.alerts.wording import moment_href
from services.ui.api.types import RuleTrial
from services.ui.widgets.formatting import moment, plain

SPAN_US = clock.HOUR
TIMEOUT_S = 30.0
SHOWN = 20


def sentence(found: RuleTrial) -> str:
    """Return how often the rule would have fired, and for how long."""
    lasted = [one.duration_s for pair in found.pairs for one in pair.incidents if one.duration_s is not None]
    pairs = len(found.pairs)
    if not any(pair.signals for pair in found.pairs):
        told = "Not tried: no signals of its pairs are stored for the last hour."
    elif not found.fired:
        told = f"Would not have fired in the last hour ({_count(pairs, 'pair')})."
    else:
        told = f"Would have fired {_count(found.fired, 'time')} in the last hour ({_count(pairs, 'pair')}), "
        told += f"median duration {plain(median(lasted))} s." if lasted else "and not have ended."
    if found.truncated:
        told += " Only a part of the signals was tried, as there are too many."
    return " ".join([told, *(f"Warning: {one}." for one in found.warnings)])


def firings(found: RuleTrial, zone: str) -> list[Component]:
    """Return a line for each of the latest firings, and how many are left out."""
    every = [(one.start_us, pair.pair, one) for pair in found.pairs for one in pair.incidents]
    every.sort(key=lambda one: one[:2], reverse=True)
    lines: list[Component] = [
        html.Li(
            [
                html.A(
                    f"{moment(start_us, zone)[11:19]} {pair}",
                    href=moment_href(pair, start_us),
                    className="inside",
                ),
                ("" if one.value is None else f" at {plain(one.value)}")
                + (", still open" if one.duration_s is None else f", {plain(one.duration_s)} s"),
            ]
        )
        for start_us, pair, one in every[:SHOWN]
    ]
    left = found.fired - len(lines)
    return [*lines, html.Li(f"{left} more")] if left > 0 else lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
