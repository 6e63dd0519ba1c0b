"""Rules and silences of the fake API."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from msgspec.structs import asdict

from services.api.serialization.rows import row
from services.contracts.fields import WrongFieldError
from services.contracts.metrics import METRICS
from services.contracts.rules import Rule
from services.contracts.silences import Silence
from tests.e2e.fake_market import SECOND, zscore
from tests.e2e.fake_pairs import World, problem

BUILT_IN: dict[str, Any] = {
    "id": "built-in.feed-stale",
    "name": "Feed is stale",
    "conditions": [{"metric": "stream_stale", "operator": "above", "fire": 1.0}],
}


class Rules:
    """The rules and silences as they were written."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, Any]] = {}
        self.silences: dict[str, dict[str, Any]] = {}


def add(app: FastAPI, rules: Rules, world: World, feed: str) -> None:
    """Add the routes to `app`."""

    def forbidden() -> Response | None:
        detail = "expected a caller with the role write, received 'desk' with the role read"
        return None if world.pairs.role == "write" else problem(403, detail)

    def known() -> dict[str, dict[str, Any]]:
        return {BUILT_IN["id"]: BUILT_IN, **rules.rules}

    def unknown(what: str, name: str) -> Response:
        return problem(404, f"expected a known {what}, received {name!r}")

    def stored(body: dict[str, Any], status: int) -> Response:
        if refused := forbidden() or _wrong(body):
            return refused
        if status == 201 and body["id"] in known():
            return problem(409, f"expected an id that no rule has, received {body['id']!r}")
        rules.rules[body["id"]] = body
        return JSONResponse(_rule(body), status)

    @app.get("/v1/rules")
    async def get_rules() -> Any:
        return {"feed": feed, "data": [_rule(one) for one in known().values()]}

    @app.get("/v1/rules/{id}")
    async def get_rule(id: str) -> Any:  # noqa: A002
        return _rule(known()[id]) if id in known() else unknown("rule", id)

    @app.post("/v1/rules")
    async def post_rule(body: dict[str, Any]) -> Response:
        return stored(body, 201)

    @app.put("/v1/rules/{id}")
    async def put_rule(id: str, body: dict[str, Any]) -> Response:  # noqa: A002
        return stored({"id": id, **body}, 200)

    @app.delete("/v1/rules/{id}")
    async def delete_rule(id: str) -> Response:  # noqa: A002
        if refused := forbidden():
            return refused
        return Response(status_code=204) if rules.rules.pop(id, None) else unknown("rule", id)

    @app.post("/v1/rules/{id}/test")
    async def try_rule(id: str, body: dict[str, Any]) -> Any:  # noqa: A002
        rule = {"id": id, **body["rule"]}
        if refused := forbidden() or _wrong(rule):
            return refused
        first = rule["conditions"][0]
        if METRICS[first["metric"]].subject != "pair":
            return problem(422, "rule: expected a rule of pairs", ("rule", "a rule of pairs", "symbol"))
        return _trial(rule, body)

    @app.get("/v1/rules/{id}/statistics")
    async def statistics(id: str, end: int) -> Any:  # noqa: A002
        if id not in known():
            return unknown("rule", id)
        told = {"fired": 12, "open": 1, "median_s": 42.0, "longest_s": 310.0, "flaps": 2, "acknowledged": 9}
        span = [("rule", id), ("start_us", end - 7 * 86_400_000_000), ("end_us", end)]
        more = {"marked_false": 1, "retracted": 0, "last_us": end - 60_000_000, "truncated": False}
        return row([*span, *told.items(), *more.items()])

    @app.get("/v1/silences")
    async def get_silences() -> Any:
        return {"feed": feed, "data": [_silence(one, world) for one in rules.silences.values()]}

    @app.post("/v1/silences")
    async def post_silence(body: dict[str, Any]) -> Response:
        if refused := forbidden():
            return refused
        made = {"id": f"silence-{len(rules.silences)}", "start_us": world.now_us(), "by": "desk", **body}
        if made["end_us"] <= made["start_us"]:
            expected = f"a time after start_us {made['start_us']}"
            return problem(422, f"end_us: expected {expected}", ("end_us", expected, made["end_us"]))
        rules.silences[made["id"]] = made
        return JSONResponse(_silence(made, world), 201)

    @app.delete("/v1/silences/{id}")
    async def delete_silence(id: str) -> Response:  # noqa: A002
        if refused := forbidden():
            return refused
        return Response(status_code=204) if rules.silences.pop(id, None) else unknown("silence", id)


def _wrong(body: dict[str, Any]) -> Response | None:
    try:
        msgspec.convert(body, Rule)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if not isinstance(cause, WrongFieldError):
            raise
        at = f"conditions.0.{cause.field}" if cause.field in ("clear", "over_s") else cause.field
        return problem(422, f"{at}: {cause}", (at, cause.expected, cause.received))
    return None


def _rule(body: dict[str, Any]) -> dict[str, Any]:
    fields = {name: _plain(one) for name, one in asdict(msgspec.convert(body, Rule)).items()}
    return row([*fields.items(), ("built_in", body is BUILT_IN), ("warnings", [])])


def _silence(body: dict[str, Any], world: World) -> dict[str, Any]:
    silence = msgspec.convert(body, Silence)
    return row([*asdict(silence).items(), ("active", silence.is_active(world.now_us()))])


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(one) for name, one in asdict(value).items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _trial(rule: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    first, end_us = rule["conditions"][0], body["end"]
    fired = 2 if first["fire"] <= 3 else 0

    def incident(number: int) -> dict[str, Any]:
        start_us = end_us - number * 600_000_000
        lasted = {"duration_s": 30.0 + 10 * number, "value": 3.25, "ended": "resolved"}
        times = [("start_us", start_us), ("end_us", start_us + 30_000_000 + 10_000_000 * number)]
        return row([("state", "firing"), *times, *lasted.items()])

    incidents = [incident(number) for number in range(fired, 0, -1)]
    seconds = range(end_us // SECOND - 3600, end_us // SECOND) if body.get("series") else ()
    explained = {"state": "normal", "values": {"zscore": 1.2}, "held_back": "condition 1: zscore is 1.2"}
    pair = {
        "pair": "ETHUSDT-BTCUSDT",
        "signals": 3600,
        "fired": fired,
        "firing_s": sum(one["duration_s"] for one in incidents),
        "median_s": 45.0 if fired else None,
        "incidents": incidents,
        "explanation": row([("event_us", body["at"]), *explained.items()]) if "at" in body else None,
        "message": rule.get("message") or "ETHUSDT-BTCUSDT: it is met, zscore 3.25",
        "series": {
            "event_us": [second * SECOND for second in seconds],
            "value": [zscore("ETHUSDT-BTCUSDT", second) for second in seconds],
        }
        if seconds
        else None,
    }
    return {"fired": fired, "pairs": [pair], "truncated": False, "warnings": []}
