"""``/v1/rules``: rules of alerts, and their trial over stored signals; a change goes through the topic ``rules``."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from statistics import median
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from msgspec import Struct
from msgspec.structs import asdict, replace

from services.api.alert_bodies import converted
from services.api.backend import Backend
from services.api.models.base import Listing
from services.api.models.rules import (
    SERIES_POINTS,
    Rule,
    RuleBody,
    RuleStatistics,
    RuleTrial,
    StatisticsQuery,
    TrialQuery,
)
from services.api.parameters import BackendDependency, TableQuery
from services.api.problems import RESPONSES, ProblemError, invalid, refused, unknown
from services.api.queries import rule_statistics, rule_trials
from services.api.routes.compacted import hold, loaded
from services.api.security.access import WRITE
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, encode, row
from services.common import clock
from services.contracts import messages
from services.contracts.alert_messages import DEFAULT_RULE
from services.rules.alerts import alert_of
from services.rules.built_in import BUILT_IN, effective
from services.rules.engine import Outcome, is_in_scope
from services.rules.trial import Trial, trial

SIGNALS_TRIED = 200_000
_INCIDENTS_TOLD = 1_000
_DAY_US = 24 * clock.HOUR
_WEEK_US = 7 * _DAY_US

RuleId = Annotated[
    str, Path(max_length=64, description="The id of a rule.", examples=["built-in.feed-stale"])
]
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"description": "There is one of this id: PUT changes it.", "model": RESPONSES[422]["model"]}
}
_CREATED: dict[int | str, dict[str, Any]] = {201: {"description": "The rule is new.", "model": Rule}}

router = APIRouter(prefix="/v1", tags=["rules"])


@router.get("/rules", response_model=Listing[Rule], responses=TABLE_RESPONSES | RESPONSES)
async def read_rules(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every rule, those that are built in and paused ones too."""
    known = effective(await loaded(backend.rules))
    rows = [_row(rule, backend) for _, rule in sorted(known.items())]
    return await answer(request, query.format, Rule, backend.feed, rows)


@router.get("/rules/{id}", response_model=Rule, responses=RESPONSES)
async def read_rule(id: RuleId, backend: BackendDependency) -> Response:  # noqa: A002  # the contract's word
    """Return one rule."""
    return _answer(await _known(id, backend), backend)


@router.post(
    "/rules",
    status_code=HTTPStatus.CREATED,
    response_model=Rule,
    responses=CONFLICT | RESPONSES,
    dependencies=WRITE,
)
async def post_rule(body: Annotated[RuleBody, Body()], backend: BackendDependency) -> Response:
    """Write a new rule; the answer comes once the broker has acknowledged it."""
    rule = converted(body, messages.Rule)
    async with backend.changing_rules:
        if rule.id in await loaded(backend.rules):
            detail = f"expected an id that no rule has, received {rule.id!r}"
            raise ProblemError(HTTPStatus.CONFLICT, "Rule exists", detail)
        await hold(backend, backend.rules, rule.id, rule)
    return _answer(rule, backend, HTTPStatus.CREATED)


@router.put("/rules/{id}", response_model=Rule, responses=_CREATED | RESPONSES, dependencies=WRITE)
async def put_rule(
    id: RuleId,  # noqa: A002
    body: Annotated[RuleBody, Body()],
    backend: BackendDependency,
) -> Response:
    """Write a rule as a whole, new or in the place of the one before; a field that is left out gets its default.

    What it measures or decides otherwise than before begins anew, and what is open of it ends.
    """
    rule = _of(id, body)
    async with backend.changing_rules:
        known = await loaded(backend.rules)
        await hold(backend, backend.rules, id, rule)
    return _answer(rule, backend, HTTPStatus.OK if id in known else HTTPStatus.CREATED)


@router.delete("/rules/{id}", status_code=HTTPStatus.NO_CONTENT, responses=RESPONSES, dependencies=WRITE)
async def delete_rule(id: RuleId, backend: BackendDependency) -> None:  # noqa: A002
    """Remove a rule; what is open of it ends, its alerts so far stay. One that is built in is as it was at first."""
    async with backend.changing_rules:
        known = await loaded(backend.rules)
        if id not in known:
            raise _unknown(id, known)
        await hold(backend, backend.rules, id, None)


@router.get("/rules/{id}/statistics", response_model=RuleStatistics, responses=RESPONSES)
async def read_statistics(
    id: RuleId,  # noqa: A002
    query: Annotated[StatisticsQuery, Query()],
    backend: BackendDependency,
) -> Response:
    """Return what a rule's incidents were worth, of those that began in a period, without one in the last week.

    `zscore-threshold`, which every pair has, is one of them.
    """
    if id != DEFAULT_RULE:
        await _known(id, backend)
    end_us = clock.now_us() if query.end is None else query.end
    start_us = end_us - _WEEK_US if query.start is None else query.start
    if start_us >= end_us:
        raise refused("start", f"a time before the end {clock.to_iso(end_us)}", clock.to_iso(start_us))
    found = await rule_statistics.read(backend.store, id, start_us, end_us)
    of = row([("rule", id), ("start_us", start_us), ("end_us", end_us)])
    return Response(encode(of | found), media_type="application/json")


@router.post("/rules/{id}/test", response_model=RuleTrial, responses=RESPONSES)
async def try_rule(id: RuleId, body: TrialQuery, backend: BackendDependency) -> Response:  # noqa: A002
    """Try a rule on stored signals: when it would have fired, how often, how long, and what held it back at a moment.

    The same code as live, over the last day without a range. Silences and inhibitions are none of it.
    """
    rule = await _known(id, backend) if body.rule is None else _of(id, body.rule)
    if rule.subject_kind != "pair":
        raise _wrong(
            "rule", "a rule of pairs, because nothing else is stored second by second", rule.subject_kind
        )
    end_us = clock.now_us() if body.end is None else body.end
    start_us = end_us - _DAY_US if body.start is None else body.start
    if start_us >= end_us:
        raise _wrong("start", f"a time before the end {clock.to_iso(end_us)}", clock.to_iso(start_us))
    names = sorted({*await backend.store.measured(), *backend.pairs})
    if body.pair is not None:
        names = [str(await backend.require_measured(body.pair))]
    names = [name for name in names if is_in_scope(rule.scope, name)]
    rule = replace(rule, paused=False)
    rows, left, drawn = list[Row](), SIGNALS_TRIED, -1
    for name in names:
        found = await rule_trials.read(backend.store, name, start_us, end_us, left + 1)
        left -= min(left, len(found))
        observations = map(rule_trials.observation, found[: len(found) if left else -1])
        tried = await asyncio.to_thread(trial, rule, observations, body.at)
        rows.append(_tried(rule, name, tried))
        if body.series and tried.observations and (drawn < 0 or rows[-1]["fired"] > rows[drawn]["fired"]):
            rows[drawn]["series"], rows[-1]["series"] = None, _series(tried)
            drawn = len(rows) - 1
        if not left:
            break
    told = {
        "fired": sum(one["fired"] for one in rows),
        "pairs": rows,
        "truncated": not left,
        "warnings": _warnings(rule, names),
    }
    return Response(encode(told), media_type="application/json")


def _of(name: str, body: dict[str, Any]) -> messages.Rule:
    """Return the rule of a body for an address, which may leave out the id."""
    rule = converted({"id": name, **body}, messages.Rule)
    if rule.id != name:
        raise _wrong("id", f"{name}, as in the address", rule.id)
    return rule


async def _known(name: str, backend: Backend) -> messages.Rule:
    known = effective(await loaded(backend.rules))
    if name not in known:
        raise _unknown(name, known)
    return known[name]


def _unknown(name: str, known: Mapping[str, Struct]) -> ProblemError:
    return unknown("rule", name, sorted(known))


def _wrong(field: str, expected: str, received: object) -> ProblemError:
    return invalid(
        [{"type": "value_error", "loc": ("body", field), "msg": f"expected {expected}", "input": received}]
    )


def _answer(rule: messages.Rule, backend: Backend, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(_row(rule, backend)), status, media_type="application/json")


def _row(rule: messages.Rule, backend: Backend) -> Row:
    fields = {name: _plain(value) for name, value in asdict(rule).items()}
    built_in = BUILT_IN.get(rule.id) == rule
    warnings = _warnings(rule, list(backend.pairs)) if rule.subject_kind == "pair" else []
    return row([*fields.items(), ("built_in", built_in), ("warnings", warnings)])


def _plain(value: Any) -> Any:
    """Return a value of a message as it stands in an answer: with the fields that have their defaults."""
    if isinstance(value, Struct):
        return {name: _plain(one) for name, one in asdict(value).items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _warnings(rule: messages.Rule, pairs: list[str]) -> list[str]:
    if any(is_in_scope(rule.scope, name) for name in pairs):
        return []
    return [f"its scope {', '.join(rule.scope)} matches none of the watched pairs: {', '.join(pairs[:20])}"]


def _series(tried: Trial) -> Row:
    times, values = zip(*tried.series[-SERIES_POINTS:], strict=True)
    return {"event_us": times, "value": values}


def _tried(rule: messages.Rule, name: str, tried: Trial) -> Row:
    lasted = [one.duration_s for one in tried.incidents if one.duration_s is not None]
    explained, example = tried.explanation, tried.example
    return {
        "pair": name,
        "signals": tried.observations,
        "fired": len(tried.incidents),
        "firing_s": sum(lasted),
        "median_s": median(lasted) if lasted else None,
        "incidents": [row(one._asdict().items()) for one in tried.incidents[:_INCIDENTS_TOLD]],
        "explanation": None if explained is None else row(explained._asdict().items()),
        "message": None if example is None else alert_of(Outcome(rule, name, example)).message,
        "series": None,
    }
