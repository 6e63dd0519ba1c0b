"""Trials of the rule in the form: over the last stored hour, and why it did not fire at a moment."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from dash import html
from dash.development.base_component import Component

from services.common import clock
from services.common.errors import TransientError
from services.contracts.metrics import METRICS
from services.ui.api import problems
from services.ui.api.client import segment
from services.ui.api.decoding import decode
from services.ui.api.types import HeldBack, RuleTrial
from services.ui.pages.rules import form, listing, preview, trial
from services.ui.state.page_context import PageContext, Props
from services.ui.widgets.formatting import moment

_UNNAMED = "new-rule"
_EXPLAINED = 20
_LONGEST_US = 24 * clock.HOUR


async def attempt(
    site: PageContext, rule: Mapping[str, Any], zone: str, pair: str = "", drawn: str = ""
) -> tuple[Props, dict[str, str]]:
    """Try a rule on the last stored hour; return what is shown of it, and what is refused at which control."""
    end_us = listing.newest_us(site)
    span = (end_us - trial.SPAN_US, end_us)
    found, why, wrong = await _asked(site, rule, pair, *span, series=True)
    if found is None:
        return _told(why, [], "") | preview.nothing(why), wrong
    text = next((one.message for one in found.pairs if one.message), None)
    told = f"Not tried: {pair} is not in its scope." if pair and not found.pairs else trial.sentence(found)
    shown = _told(told, trial.firings(found, zone), text or "nothing, as nothing was measured")
    return shown | preview.shown(rule, found, span, zone, drawn), {}


async def why(
    site: PageContext, rule: Mapping[str, Any], zone: str, pair: str, at_us: int
) -> list[Component]:
    """Return for each pair of a rule what held it back at a moment, or that it fired."""
    # As long before as the rule itself looks back.
    back_us = sum(rule.get(name) or 0 for name in ("warm_up_s", "cooldown_s", "for_s", "keep_firing_s"))
    back_us = min(trial.SPAN_US + round(back_us * clock.SECOND), _LONGEST_US)
    found, refused, wrong = await _asked(site, rule, pair, max(0, at_us - back_us), at_us + 1, at=at_us)
    if found is None:
        return [html.Li(" ".join([refused, *wrong.values()]))]
    told = [(one.pair, one.explanation) for one in found.pairs if one.explanation is not None]
    if not told:
        return [html.Li(f"Nothing is stored from before {moment(at_us, zone)}.")]
    lines: list[Component] = [html.Li(_explained(name, one, zone)) for name, one in told[:_EXPLAINED]]
    return lines + ([html.Li(f"{len(told) - _EXPLAINED} more pairs")] if len(told) > _EXPLAINED else [])


def _explained(pair: str, one: HeldBack, zone: str) -> str:
    at = f"{pair}, {moment(one.event_us, zone)}"
    return f"{at}: it fired." if one.held_back is None else f"{at}: {one.state}, {one.held_back}."


def _told(told: str, firings: list[Component], text: str) -> Props:
    return {
        "rule-tried": {"children": told},
        "rule-firings": {"children": firings},
        "rule-message-preview": {"children": text},
    }


async def _asked(
    site: PageContext, rule: Mapping[str, Any], pair: str, start_us: int, end_us: int, **more: Any
) -> tuple[RuleTrial | None, str, dict[str, str]]:
    """Return a trial, or None, why there is none, and what is refused at which control."""
    rule = {"id": _UNNAMED, **rule}
    asked = {"rule": rule, "start": start_us, "end": end_us, **({"pair": pair} if pair else {}), **more}
    try:
        response = await site.client.send(
            "POST", f"/v1/rules/{segment(rule['id'])}/test", json=asked, timeout=trial.TIMEOUT_S
        )
        if response.is_success:
            return decode(response.content, RuleTrial), "", {}
    except (TransientError, msgspec.DecodeError) as error:
        return None, f"Not tried. {error}", {}
    if response.status_code in problems.FORBIDDEN:
        return None, "Not tried: the API lets only those who may write try a rule.", {}
    wrong, rest = refused(response, rule)
    metric = METRICS.get(rule["conditions"][0].get("metric", ""))
    if not wrong and metric is not None and metric.subject != "pair":
        rest = f"Only seconds of pairs are stored, so a rule of a {metric.subject} cannot be tried."
    return None, rest or "Not tried: a value is refused.", wrong


def refused(response: httpx.Response, rule: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return what an answer refuses of a rule, by the name of the control, and apart what concerns none."""
    places = form.places(rule)
    wrong = problems.read(response, tuple(places))
    return {places[field]: text for field, text in wrong.fields.items()}, wrong.rest
