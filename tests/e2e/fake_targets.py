"""Targets of alerts and deliveries of the fake API."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from msgspec.structs import asdict

from services.api.serialization.rows import row
from services.contracts.fields import WrongFieldError
from services.contracts.targets import Target, masked_url
from tests.e2e.fake_alerts import Alerts
from tests.e2e.fake_market import SECOND
from tests.e2e.fake_pairs import World, problem

SECRET = ("url", "secret")


class Targets:
    """The targets as they were written, with their secrets, and what was delivered."""

    def __init__(self) -> None:
        self.targets: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.rotated: set[str] = set()
        self.disabled: dict[str, str] = {}


def add(app: FastAPI, targets: Targets, alerts: Alerts, world: World, feed: str) -> None:
    """Add the routes to `app`."""

    def refused(body: dict[str, Any] | None = None) -> Response | None:
        if world.pairs.role != "write":
            detail = "expected a caller with the role write, received 'desk' with the role read"
            return problem(403, detail)
        try:
            msgspec.convert(body, Target) if body is not None else None
        except msgspec.ValidationError as error:
            cause = error.__cause__
            if not isinstance(cause, WrongFieldError):
                raise
            at = (cause.field, cause.expected, cause.received)
            return problem(422, f"{cause.field}: {cause}", at)
        return None

    def unknown(name: str) -> Response:
        return problem(404, f"expected a known target, received {name!r}")

    def listed(name: str) -> dict[str, Any]:
        known = msgspec.convert(targets.targets[name], Target)
        fields = {one: value for one, value in asdict(known).items() if one not in SECRET}
        reason = targets.disabled.get(name)
        state = "disabled" if reason else "paused" if known.paused else "ready"
        times = dict.fromkeys(("failing_us", "blocked_until_us", "delivered_us"))
        more = {
            "url": masked_url(known.url, known.kind),
            "rotating": name in targets.rotated,
            "state": state,
            "reason": reason,
            "made_us": world.now_us(),
            "changed_us": world.now_us(),
            **times,
            "waiting": 0,
        }
        plain = {one: list(value) if isinstance(value, tuple) else value for one, value in fields.items()}
        return row([*plain.items(), *more.items()])

    def deliver(target: str, kind: str, alert_ids: list[str], **told: Any) -> dict[str, Any]:
        at_us = world.now_us()
        made = {
            "delivery_id": f"dlv_{len(targets.log)}",
            "target": target,
            "kind": kind,
            "alert_ids": alert_ids,
            "title": "test by desk" if kind == "test" else "z-score above 2",
            "made_us": at_us,
            "state": "delivered",
            "reason": None,
            "status": 204,
            "tries": 1,
            "next_us": None,
            "tried_us": at_us,
            "ended_us": at_us,
            "took_ms": 12,
            **told,
        }
        targets.log.append(row(made.items()))
        return targets.log[-1]

    @app.get("/v1/targets")
    async def get_targets() -> Any:
        return {"feed": feed, "data": [listed(name) for name in targets.targets]}

    @app.get("/v1/targets/{id}")
    async def get_target(id: str) -> Any:  # noqa: A002
        return listed(id) if id in targets.targets else unknown(id)

    @app.post("/v1/targets")
    async def post_target(body: dict[str, Any]) -> Response:
        if wrong := refused(body):
            return wrong
        if body["id"] in targets.targets:
            return problem(409, f"expected an id that no target has, received {body['id']!r}")
        targets.targets[body["id"]] = body
        return JSONResponse(listed(body["id"]), 201)

    @app.put("/v1/targets/{id}")
    async def put_target(id: str, body: dict[str, Any]) -> Response:  # noqa: A002
        before = targets.targets.get(id, {})
        whole = {"id": id, **{name: before[name] for name in SECRET if name in before}, **body}
        if wrong := refused(whole):
            return wrong
        if before.get("secret") not in (None, whole.get("secret")):
            targets.rotated.add(id)
        targets.targets[id] = whole
        targets.disabled.pop(id, None)
        return JSONResponse(listed(id), 200)

    @app.delete("/v1/targets/{id}")
    async def delete_target(id: str) -> Response:  # noqa: A002
        if wrong := refused():
            return wrong
        return Response(status_code=204) if targets.targets.pop(id, None) else unknown(id)

    @app.post("/v1/targets/{id}/test")
    async def test_target(id: str) -> Any:  # noqa: A002
        return refused() or (deliver(id, "test", []) if id in targets.targets else unknown(id))

    @app.post("/v1/targets/{id}/replay")
    async def replay_target(id: str, body: dict[str, Any]) -> Any:  # noqa: A002
        if wrong := refused():
            return wrong
        if body["start"] >= world.now_us():
            return problem(
                422, "start: expected a time before the end", ("start", "a time before the end", 1)
            )
        of_it = [one for one in targets.log if one["target"] == id and one["state"] in body["states"]]
        return {"deliveries": len(of_it)}

    @app.get("/v1/deliveries")
    async def get_deliveries(
        target: str | None = None,
        state: str | None = None,
        alert: str | None = None,
        start: int = 0,
        end: int = 2**60,
        limit: int = 100,
        format: str = "json",  # noqa: A002
    ) -> Any:
        found = [
            one
            for one in targets.log[::-1]
            if target in (None, one["target"])
            and state in (None, one["state"])
            and (alert is None or alert in one["alert_ids"])
            and start <= one["made_us"] < end
        ]
        if format == "csv":
            return PlainTextResponse("delivery_id\n", media_type="text/csv")
        return {"feed": feed, "data": found[:limit]}

    @app.get("/v1/alerts/{alert_id}/deliveries")
    async def get_deliveries_of_alert(alert_id: str) -> Any:
        if alert_id not in alerts.stored:
            return problem(404, f"expected the id of a stored alert, received {alert_id!r}")
        told = {one["target"]: one for one in targets.log if alert_id in one["alert_ids"]}
        nothing = {"state": "unmatched", "reason": "its severity is warning, expected at least critical"}
        empty = {
            "delivery_id": None,
            "kind": None,
            "status": None,
            "tries": 0,
            "next_us": None,
            "ended_us": None,
        }
        data = []
        for name in targets.targets:
            one = told.get(name, {**empty, **nothing})
            fields = {field: one[field] for field in ("state", *empty)}
            data.append(row([("target", name), ("why", one["reason"] or "delivered"), *fields.items()]))
        return {"feed": feed, "data": data}

    @app.post("/fake/targets")
    async def fake_targets(target: str, alert: str = "", disable: str = "") -> Any:
        """Say that an alert has not arrived at a target yet, or that the target is disabled."""
        if disable:
            targets.disabled[target] = disable
            return {}
        failed = {
            "state": "failed",
            "status": 503,
            "reason": "expected a status of 2xx, received 503",
            "tries": 2,
        }
        return deliver(
            target, "begun", [alert], **failed, next_us=world.now_us() + 60 * SECOND, ended_us=None
        )
