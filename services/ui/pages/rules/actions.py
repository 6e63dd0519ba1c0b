"""Requests of the rules page to the API, and what it shows of the answers."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.common import clock
from services.common.errors import BadMessageError, TransientError
from services.ui.api import problems
from services.ui.api.client import ApiClient, segment
from services.ui.api.decoding import decode
from services.ui.pages.rules import listing, silences, trying, view
from services.ui.pages.rules.listing import PATH, ListedRule
from services.ui.state.page_context import PageContext, Props

_NAME = {"name": "Expected a name with a letter or digit."}


def said(text: str, *, is_error: bool = False) -> dict[str, str]:
    """Return the properties of a status line."""
    return {"children": text, "className": "panel-status is-error" if is_error else "panel-status"}


def rule_in(stored: Any) -> dict[str, Any] | None:
    """Return the rule in the store ``rule-stored``, None if the form has a new one."""
    return stored["rule"] if stored else None


async def read_rule(client: ApiClient, rule_id: str) -> tuple[dict[str, Any] | None, str]:
    """Return a rule as the store ``rule-stored`` has it, or None and why there is none."""
    try:
        return (await client.read(f"{PATH}/{segment(rule_id)}", ListedRule)).stored(), ""
    except (TransientError, BadMessageError) as error:
        return None, f"{rule_id} cannot be read: {error}"


async def save(site: PageContext, rule: dict[str, Any], *, is_new: bool) -> Props:
    """Have the API store a rule; return what the page shows then."""
    if "id" not in rule:
        return {"rule-status": said("Not saved.", is_error=True), **_errors(_NAME)}
    method, path = ("POST", PATH) if is_new else ("PUT", f"{PATH}/{segment(rule['id'])}")
    return await _stored(site, method, path, rule, ("saved", "Saved"))


async def pause(site: PageContext, rule_id: str, *, paused: bool) -> Props:
    """Pause or resume the rule as it is stored now; return what the page shows then."""
    stored, why = await read_rule(site.client, rule_id)
    if stored is None:
        return {"rule-status": said(why, is_error=True)}
    words = ("paused", "Paused") if paused else ("resumed", "Resumed")
    rule = {**stored["rule"], "paused": paused}
    return await _stored(site, "PUT", f"{PATH}/{segment(rule_id)}", rule, words)


async def remove(site: PageContext, rule_id: str) -> Props:
    """Remove a rule; return what the page shows then."""
    why = await _refusal(site, "DELETE", f"{PATH}/{segment(rule_id)}")
    if why:
        return {"rule-status": said(f"Not removed. {why}", is_error=True)}
    await _read_again(site)
    # The form keeps what it shows, as a rule that is not stored.
    return {
        "rule-status": said(f"{rule_id} is removed."),
        "rule-stored": {"data": None},
        listing.TABLE: {"selectedRows": []},
    }


async def silence(site: PageContext, of: str, pattern: str, end_us: int | None) -> Props:
    """Silence the alerts of a pair or a rule until a moment; return what the page shows then."""
    wrong = {
        "silence-pattern": "" if pattern else f"Expected a {of}, or a pattern.",
        "silence-until": "" if end_us is not None else "Expected a date and a time.",
    }
    errors = {element: {"error": text} for element, text in wrong.items()}
    if any(wrong.values()):
        return {**errors, "silence-status": said("Not silenced.", is_error=True)}
    try:
        body = {"matchers": {of: pattern}, "end_us": end_us}
        response = await site.client.send("POST", silences.PATH, json=body)
    except TransientError as error:
        return {"silence-status": said(f"Not silenced. {error}", is_error=True)}
    if response.is_error:
        refused = problems.read(response, tuple(silences.PLACES))
        errors |= {silences.PLACES[field]: {"error": text} for field, text in refused.fields.items()}
        return {**errors, "silence-status": said(f"Not silenced. {refused.rest}".strip(), is_error=True)}
    await _read_again(site)
    return {**errors, "silence-status": said(f"Notifications of {of} {pattern} are silenced.")}


async def snooze(site: PageContext, rule_id: str, for_s: float) -> Props:
    """Silence a rule from now on for a time, in place of snoozes before; 0 ends them. Return what the page shows."""
    try:
        before = [one.id for one in await silences.read(site.client) if silences.is_snooze(one, rule_id)]
        if for_s:
            end_us = clock.now_us() + round(for_s * clock.SECOND)
            body = {"matchers": {"rule": rule_id}, "end_us": end_us, "comment": "snoozed"}
            response = await site.client.send("POST", silences.PATH, json=body)
            if response.is_error:
                return {"rule-status": said(f"Not snoozed. {problems.read(response).rest}", is_error=True)}
    except (TransientError, BadMessageError) as error:
        return {"rule-status": said(f"Not snoozed. {error}", is_error=True)}
    refused = [why for one in before if (why := await _refusal(site, "DELETE", silences.of(one)))]
    await _read_again(site)
    if refused:
        return {"rule-status": said(f"An earlier snooze has not ended. {refused[0]}", is_error=True)}
    told = "Its notifications are snoozed." if for_s else "Its notifications are snoozed no longer."
    return {"rule-status": said(told)}


async def end_silence(site: PageContext, silence_id: str | None) -> Props:
    """End a silence; return what the page shows then."""
    if silence_id is None:
        return {"silence-status": said("Select a silence in the table first.", is_error=True)}
    why = await _refusal(site, "DELETE", silences.of(silence_id))
    if why:
        return {"silence-status": said(f"Not ended. {why}", is_error=True)}
    await _read_again(site)
    return {"silence-status": said("The silence has ended."), silences.TABLE: {"selectedRows": []}}


async def _stored(
    site: PageContext, method: str, path: str, rule: Mapping[str, Any], words: tuple[str, str]
) -> Props:
    try:
        response = await site.client.send(method, path, json=rule)
        if response.is_success:
            known = decode(response.content, ListedRule)
    except (TransientError, msgspec.DecodeError) as error:
        return {"rule-status": said(f"Not {words[0]}. {error}", is_error=True)}
    if response.is_error:
        wrong, rest = trying.refused(response, rule)
        return {"rule-status": said(f"Not {words[0]}. {rest}".strip(), is_error=True), **_errors(wrong)}
    await _read_again(site)
    warned = "".join(f" Warning: {one}." for one in known.warnings)
    return {
        "rule-stored": {"data": known.stored()},
        "rule-status": said(f"{words[1]}: {known.name}.{warned}"),
    }


def _errors(wrong: Mapping[str, str]) -> Props:
    return {f"rule-{name}": {"error": text} for name, text in wrong.items()}


async def _refusal(site: PageContext, method: str, path: str) -> str:
    """Send a request; return why it was refused, empty if it was not."""
    try:
        response = await site.client.send(method, path)
    except TransientError as error:
        return str(error)
    return problems.read(response).rest if response.is_error else ""


async def _read_again(site: PageContext) -> None:
    """Have all sessions see what has just changed."""
    for ask in (view.rules, view.silent):
        await ask(site).settled()  # a question under way may have been answered before the change
        await ask(site, 0.0).settled()
