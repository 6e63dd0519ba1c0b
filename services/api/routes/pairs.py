"""``/v1/pairs``: pairs and their settings; a change goes through the topic ``pairs`` and holds at once."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from msgspec.structs import asdict

from services.api.backend import Backend
from services.api.models.base import Listing
from services.api.models.pairs import Pair, PairChange
from services.api.models.problem import Problem
from services.api.parameters import BackendDependency, PairPath, TableQuery
from services.api.problems import RESPONSES, ProblemError, invalid, unknown
from services.api.routes.compacted import hold, loaded
from services.api.routes.symbols import feed_ended, not_trading
from services.api.security.access import WRITE
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, encode, message_row
from services.common.kafka.pair_configs import configured
from services.contracts.messages import PairConfig
from services.contracts.pairs import Pair as Legs
from services.contracts.symbol_forms import read_symbol, spelled_pair

router = APIRouter(prefix="/v1", tags=["pairs"])


@router.get("/pairs", response_model=Listing[Pair], responses=TABLE_RESPONSES | RESPONSES)
async def read_pairs(
    request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every watched pair, paused ones too, with its settings and its last signal."""
    rows = [_row(config, backend) for _, config in sorted(backend.pairs.items())]
    return await answer(request, query.format, Pair, backend.feed, rows)


@router.get("/pairs/{pair}", response_model=Pair, responses=RESPONSES)
async def read_pair(pair: PairPath, backend: BackendDependency) -> Response:
    """Return one watched pair with its settings and its last signal."""
    return _answer(backend.pairs[str(backend.require_pair(pair))], backend)


@router.put(
    "/pairs/{pair}",
    response_model=Pair,
    responses={
        HTTPStatus.CREATED: {"description": "The pair is new.", "model": Pair},
        HTTPStatus.CONFLICT: {
            "description": "A leg does not trade, or the feed has ended.",
            "model": Problem,
        },
        **RESPONSES,
    },
    dependencies=WRITE,
)
async def put_pair(
    pair: PairPath, backend: BackendDependency, change: Annotated[PairChange | None, Body()] = None
) -> Response:
    """Watch a pair of two symbols with these settings from now on; a setting left out gets its default.

    A leg that the venue lists and nobody collects yet is collected from now on. The answer comes once the broker has
    acknowledged the change. The pair keeps its signals so far. A window that is new is filled from what is stored;
    `filled` of its signals says of what.
    """
    name, new = await _named(pair, backend)
    async with backend.changing_pairs:
        known = await loaded(backend.configs)
        config = _changed(configured(backend.settings, name)[name], change or {})
        if name not in known and backend.feed_has_ended:
            raise feed_ended(backend.feed, name)
        if new:
            await backend.choices.decide(new, collected=True)
        await hold(backend, backend.configs, name, config)
    return _answer(config, backend, HTTPStatus.OK if name in known else HTTPStatus.CREATED)


@router.patch("/pairs/{pair}", response_model=Pair, responses=RESPONSES, dependencies=WRITE)
async def patch_pair(pair: PairPath, change: PairChange, backend: BackendDependency) -> Response:
    """Change some settings of a watched pair, as `paused`; the others stay."""
    async with backend.changing_pairs:
        known = await loaded(backend.configs)
        name = str(backend.require_pair(pair))
        config = _changed(known[name], change, known[name])
        await hold(backend, backend.configs, name, config)
    return _answer(config, backend)


@router.delete("/pairs/{pair}", status_code=HTTPStatus.NO_CONTENT, responses=RESPONSES, dependencies=WRITE)
async def delete_pair(pair: PairPath, backend: BackendDependency) -> None:
    """Watch a pair no longer; its signals and alerts so far stay and can still be read."""
    async with backend.changing_pairs:
        await loaded(backend.configs)
        await hold(backend, backend.configs, str(backend.require_pair(pair)), None)


async def _named(text: str, backend: Backend) -> tuple[str, list[str]]:
    """Return the name of a pair, and the legs that are listed but not collected; the others are known."""
    try:
        legs = Legs.parse(spelled_pair(text))
    except ValueError as error:
        raise _refused(("path", "pair"), error, text) from None
    await backend.choices.read()
    collected, listed = backend.choices.collected(), backend.choices.listed
    names: list[str] = []
    new: list[str] = []
    for symbol in legs:
        leg = symbol
        # A name that is known as it is written is no form of another one.
        if not (symbol in collected or symbol in listed) and (read := read_symbol(symbol)) != symbol:
            leg = symbol if symbol in await backend.symbols() else read
        if leg in collected or backend.choices.can_be_collected(leg):
            names.append(leg)
            if leg not in collected:
                new.append(leg)
            continue
        if leg in listed:
            raise not_trading(listed[leg])
        try:
            names.append(await backend.require_symbol(symbol))
        except ProblemError:
            # Right after a start of everything the feed may not have told yet what it lists.
            if not listed and await backend.choices.known_so_far():
                return await _named(text, backend)
            known = dict.fromkeys(
                (*await backend.symbols(), *filter(backend.choices.can_be_collected, listed))
            )
            told = unknown("symbol", symbol, known).detail
            message = f"expected two symbols that are collected or listed, which {symbol} is not: {told}"
            raise _refused(("path", "pair"), message, text) from None
    try:
        return str(Legs.of(*names)), new
    except ValueError as error:
        raise _refused(("path", "pair"), error, text) from None


def _changed(config: PairConfig, change: PairChange, known: PairConfig | None = None) -> PairConfig:
    """Return `config` with a change; a warning that `known` has been given before is no reason to refuse it."""
    fields: dict[str, Any] = asdict(config) | change
    if fields["min_samples"] > fields["window"]:
        if "min_samples" in change:
            message = f"expected at most the window {fields['window']}"
            raise _refused(("body", "min_samples"), message, change["min_samples"])
        fields["min_samples"] = fields["window"]
    try:
        changed = PairConfig(**fields)
    except ValueError as error:
        raise _refused(("body",), error, change) from None
    if changed.warning and not (known and known.warning):
        raise _refused(("body",), changed.warning, change)
    return changed


def _refused(where: tuple[str, ...], expected: object, received: object) -> ProblemError:
    return invalid([{"type": "value_error", "loc": where, "msg": str(expected), "input": received}])


def _answer(config: PairConfig, backend: Backend, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(_row(config, backend)), status, media_type="application/json")


def _row(config: PairConfig, backend: Backend) -> Row:
    live_state, legs = backend.live_state, Legs.parse(config.pair)
    known = [
        newest[config.pair].message
        for newest in (live_state.signals, live_state.live)
        if config.pair in newest
    ]
    last = max(known, key=lambda signal: signal.event_us, default=None)
    return {
        "pair": config.pair,
        "y": legs.y,
        "x": legs.x,
        **asdict(config),
        "warning": config.warning,
        "last_signal": None if last is None else message_row(last),
    }
