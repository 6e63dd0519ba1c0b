"""Answers of an API that is newer than the page: its words are shown as they are."""

from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from msgspec import Struct

from services.common.clock import SECOND
from services.contracts.messages import Signal
from services.ui.alerts import actions, incidents
from services.ui.analysis import presenter
from services.ui.api import types
from services.ui.api.client import StreamMessage
from services.ui.api.decoding import decode
from services.ui.api.types import (
    Analysis,
    Gap,
    HandledAlert,
    Listing,
    ProcessHealth,
    ServiceHealth,
    Status,
    Update,
    Verdict,
)
from services.ui.pages.health import diagram
from services.ui.pages.pairs import annotations, cards, marks, texts
from services.ui.shell import notices
from services.ui.state.alert_state import AlertState
from services.ui.state.live_state import LiveState, Now, Received
from tests.unit.ui.answers import answer
from tests.unit.ui.conftest import START_S, Make

NEW = "hibernating"
KINDS = [
    kind
    for kind in vars(types).values()
    if isinstance(kind, type) and kind.__module__ == types.__name__ and kind is not Listing
]


def _words(kind: type[Struct]) -> list[str]:
    """Return the fields of an answer that are words of a list, or null."""
    return [
        one.name
        for one in msgspec.structs.fields(kind)
        if any(get_origin(part) is Literal for part in (one.type, *get_args(one.type)))
    ]


def newer(kind: type[Struct], /, **fields: Any) -> bytes:
    """Return an answer of `kind` as a newer API gives it."""
    known = msgspec.to_builtins(answer(kind))
    return msgspec.json.encode(known | fields)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_an_answer_may_be_another_one(kind: type[Struct]) -> None:
    for field in _words(kind):
        raw = newer(kind, **{field: [NEW] if field == "topics" else NEW})
        found = decode(raw, kind)
        assert isinstance(found, kind)
        assert NEW in getattr(found, field)


def test_words_are_new_inside_of_pages_and_messages_too(signal: Make, service: Make) -> None:
    gap = msgspec.json.decode(newer(Gap, state=NEW))
    assert decode(msgspec.json.encode({"data": [gap]}), Listing[Gap]).data[0].state == NEW
    status = msgspec.json.decode(
        newer(Status, services=[msgspec.json.decode(newer(ServiceHealth, state=NEW))])
    )
    closed = msgspec.to_builtins(signal()) | {"quality": NEW}
    raw = newer(Update, signals=[closed], status=status)
    any_message: Any = StreamMessage
    update = decode(raw, any_message)
    assert isinstance(update, Update)
    assert update.status is not None
    words: list[str] = [update.status.services[0].state, update.signals[0].quality]
    assert words == [NEW, NEW]


def test_what_is_no_such_answer_is_refused_all_the_same() -> None:
    for raw in (newer(Gap, missing="many"), newer(Gap, state=7), b"{}", b"<html>"):
        with pytest.raises(msgspec.DecodeError):
            decode(raw, Gap)


def test_a_service_in_a_new_state_is_shown_with_it(market: LiveState, now: Now, service: Make) -> None:
    process = msgspec.json.decode(newer(ProcessHealth, state=NEW, said=NEW))
    known = msgspec.to_builtins(service(healthy=False)) | {"state": NEW, "instances": [process]}
    market.services = (decode(msgspec.json.encode(known), ServiceHealth),)
    assert NEW in str(notices.strip(market))
    assert NEW in str(diagram.nodes(market, now))


def test_an_alert_in_a_new_state_is_shown_with_it(market: LiveState, now: Now, alert: Make) -> None:
    known = msgspec.to_builtins(alert())
    raw = msgspec.json.encode(known | {"state": NEW, "severity": NEW, "reversion": NEW})
    found = decode(raw, HandledAlert)
    assert actions.reversion_words(found) == NEW
    first_us = (START_S - 1) * SECOND
    assert NEW in str(marks.markers(marks.of_alerts([found]), first_us, found.event_us))
    alarms = AlertState()
    alarms.take([found, decode(msgspec.json.encode(known | {"severity": NEW}), HandledAlert)])
    (opened,) = incidents.as_of_now(alarms, []).values()
    assert opened.severity == NEW
    market.alarms = alarms
    assert notices.firing(market, "UTC", now)


def test_a_signal_and_a_verdict_of_a_new_kind_are_shown_with_it(
    market: LiveState, now: Now, signal: Make
) -> None:
    closed = msgspec.to_builtins(signal()) | {"quality": NEW, "reversion": NEW, "method": NEW}
    found = decode(msgspec.json.encode(closed), Signal)
    (pair,) = (market.pairs or {}).values()
    assert annotations.reversion(market, pair, found).value == NEW
    market.signals[pair.pair] = Received(found, now.s)
    assert texts.state(market, pair, None, now).startswith(f"{NEW.capitalize()}: ")
    assert NEW in str(cards.cards(market, pair, now))
    verdict = decode(newer(Verdict, conclusion=NEW), Verdict)
    analysis = msgspec.structs.replace(answer(Analysis), verdict=verdict)
    assert NEW in str(presenter.verdict(analysis))
