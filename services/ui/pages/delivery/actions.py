"""Requests of the delivery page to the API, and what it shows of the answers."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from services.common.errors import BadMessageError, TransientError
from services.ui.api import problems
from services.ui.api.client import segment
from services.ui.api.types import Delivery, Target
from services.ui.pages.delivery import targets, view
from services.ui.pages.delivery.targets import PATH
from services.ui.pages.rules.actions import said
from services.ui.state.page_context import PageContext, Props

_NAME = "Expected a name with a letter or digit."
SECRET_AWAY: Props = {"target-secret": {"children": ""}, "target-secret-box": {"hidden": True}}
"""What the page shows of a secret after it was shown."""
# A test waits for what becomes of it.
_TEST_S = 30.0


def route(target_id: str, does: str = "") -> str:
    """Return the route of a target, or of what is done with it."""
    return f"{PATH}/{segment(target_id)}{does}"


async def read_target(site: PageContext, target_id: str) -> tuple[dict[str, Any] | None, str]:
    """Return a target as the store ``target-stored`` has it, or None and why there is none."""
    try:
        return targets.stored(await site.client.read(route(target_id), Target)), ""
    except (TransientError, BadMessageError) as error:
        return None, f"{target_id} cannot be read: {error}"


async def save(site: PageContext, values: Mapping[str, Any], stored: Mapping[str, Any] | None) -> Props:
    """Have the API store the target in the form; a webhook gets its secret with its first save."""
    body = targets.body_of(values, stored)
    if "id" not in body:
        return {**_status("Not saved.", is_error=True), "target-name": {"error": _NAME}}
    secret = ""
    if body["kind"] == "webhook" and (stored is None or stored["kind"] != "webhook"):
        body["secret"] = secret = targets.new_secret()
    return await _put(site, body, ("saved", "Saved"), secret, is_new=stored is None)


async def pause(site: PageContext, target_id: str) -> Props:
    """Pause a target as it is stored now, or resume it."""
    known, why = await read_target(site, target_id)
    if known is None:
        return _status(why, is_error=True)
    words = ("resumed", "Resumed") if known["paused"] else ("paused", "Paused")
    return await _put(site, targets.stored_body(known, paused=not known["paused"]), words)


async def rotate(site: PageContext, target_id: str) -> Props:
    """Give a webhook a new secret; for a day messages are signed with the one before, too."""
    known, why = await read_target(site, target_id)
    if known is None:
        return _status(why, is_error=True)
    secret = targets.new_secret()
    words = ("rotated", "New secret, beside the one before for a day")
    return await _put(site, targets.stored_body(known, secret=secret), words, secret)


async def test(site: PageContext, target_id: str) -> Props:
    """Send a test, and return what became of it."""
    try:
        response = await site.client.send("POST", route(target_id, "/test"), timeout=_TEST_S)
        if response.is_success:
            found = msgspec.json.decode(response.content, type=Delivery)
            if found.state == "delivered":
                return _status(f"The test has arrived, in {found.took_ms} ms.")
            if found.state == "waiting":
                return _status("The test still waits: does delivery run?", is_error=True)
            return _status(f"The test has not arrived: {found.reason or found.state}.", is_error=True)
    except (TransientError, msgspec.DecodeError) as error:
        return _status(f"Not tested. {error}", is_error=True)
    return _status(f"Not tested. {problems.read(response).rest}", is_error=True)


async def replay(
    site: PageContext, target_id: str, start_us: int | None, end_us: int | None, states: list[str]
) -> Props:
    """Have deliveries of a time made again, and return how many."""
    if start_us is None:
        return {
            **_status("Not replayed.", is_error=True),
            "replay-from": {"error": "Expected a date and a time."},
        }
    body = {"start": start_us, "end": end_us, "states": states}
    fine: Props = {"replay-from": {"error": ""}, "replay-states": {"error": ""}}
    try:
        response = await site.client.send("POST", route(target_id, "/replay"), json=body)
    except TransientError as error:
        return {**fine, **_status(f"Not replayed. {error}", is_error=True)}
    if response.is_error:
        wrong = problems.read(response, ("start", "states"))
        places = {"start": "replay-from", "states": "replay-states"}
        at = {places[field]: {"error": text} for field, text in wrong.fields.items()}
        return {**fine, **at, **_status(f"Not replayed. {wrong.rest}".strip(), is_error=True)}
    count = response.json()["deliveries"]
    return {**fine, **_status(f"{count} deliveries are made again.")}


async def remove(site: PageContext, target_id: str) -> Props:
    """Remove a target."""
    try:
        response = await site.client.send("DELETE", route(target_id))
    except TransientError as error:
        return _status(f"Not removed. {error}", is_error=True)
    if response.is_error:
        return _status(f"Not removed. {problems.read(response).rest}", is_error=True)
    await _read_again(site)
    return {
        **SECRET_AWAY,
        **_status(f"{target_id} is removed; its log stays."),
        "target-stored": {"data": None},
        targets.TABLE: {"selectedRows": []},
    }


async def _put(
    site: PageContext,
    body: Mapping[str, Any],
    words: tuple[str, str],
    secret: str = "",
    *,
    is_new: bool = False,
) -> Props:
    method, path = ("POST", PATH) if is_new else ("PUT", route(body["id"]))
    try:
        response = await site.client.send(method, path, json=body)
        if response.is_success:
            known = msgspec.json.decode(response.content, type=Target)
    except (TransientError, msgspec.DecodeError) as error:
        return _status(f"Not {words[0]}. {error}", is_error=True)
    if response.is_error:
        return _refused(response, words[0])
    await _read_again(site)
    fine: Props = {f"target-{name}": {"error": ""} for name in targets.FIELDS}
    return {
        **fine,
        **_status(f"{words[1]}: {known.name}."),
        "target-stored": {"data": targets.stored(known)},
        "target-secret": {"children": secret},
        "target-secret-box": {"hidden": not secret},
    }


def _refused(response: httpx.Response, word: str) -> Props:
    wrong = problems.read(response, tuple(targets.PLACES))
    at: Props = {f"target-{name}": {"error": ""} for name in targets.FIELDS}
    at |= {f"target-{targets.PLACES[field]}": {"error": text} for field, text in wrong.fields.items()}
    return {**at, **_status(f"Not {word}. {wrong.rest}".strip(), is_error=True)}


def _status(text: str, *, is_error: bool = False) -> Props:
    return {"target-status": said(text, is_error=is_error)}


async def _read_again(site: PageContext) -> None:
    """Have all sessions see what has just changed."""
    await view.known_targets(site).settled()  # a question under way may have been answered before the change
    await view.known_targets(site, 0.0).settled()
