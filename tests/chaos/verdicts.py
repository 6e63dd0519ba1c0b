"""Verdicts of a chaos run: the expected rows, and each difference in the store or at a witness."""

import time
from collections.abc import Callable, Iterator

import psycopg

from services.common.clock import from_datetime
from services.contracts.messages import PairConfig, Signal, Tick
from tests.analytics import final_signals, outcomes
from tests.chaos.witnesses import StreamClient, TopicReader, differences
from tests.contract.store import assert_bars
from tests.workers import PAIRS

WINDOW = 60
ALL_PAIRS = [*PAIRS, "ETHUSDT-XRPUSDT", "BTCUSDT-BNBUSDT", "ADAUSDT-SOLUSDT", "XRPUSDT-BTCUSDT"]


def expected_of(ticks: list[Tick]) -> tuple[dict[tuple[str, int], Signal], set[str]]:
    """Return the final signal of each second of each pair, and the ids of all alerts."""
    signals: dict[tuple[str, int], Signal] = {}
    alerts: set[str] = set()
    for pair in ALL_PAIRS:
        said = outcomes(ticks, PairConfig(pair=pair, window=WINDOW))
        signals |= {(pair, one.event_us): one for one in final_signals(said)}
        alerts |= {alert.alert_id for outcome in said for alert in outcome.alerts}
    return signals, alerts


def stored(
    url: str, ticks: list[Tick], signals: dict[tuple[str, int], Signal], alerts: set[str]
) -> Iterator[str]:
    """Yield what is wrong in the store."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT symbol, trade_id, price FROM ticks").fetchall()
        found = {(symbol, trade_id): price for symbol, trade_id, price in rows}
        wanted = {(tick.symbol, tick.trade_id): tick.price for tick in ticks}
        if len(rows) != len(found) or found != wanted:
            missing = len(wanted.items() - found.items())
            yield f"store: {len(rows)} ticks, {len(found)} different ones, {missing} missing"
        rows = connection.execute("SELECT pair, ts, revision, zscore FROM signals").fetchall()
        told = {(pair, from_datetime(at)): (revision, zscore) for pair, at, revision, zscore in rows}
        yield from differences("store", told, signals)
        ids = {str(one) for (one,) in connection.execute("SELECT alert_id FROM alerts").fetchall()}
        if ids != alerts:
            yield f"store: {len(alerts - ids)} alerts missing, {len(ids - alerts)} that there are not"
    try:
        assert_bars(url, ticks)
    except AssertionError as error:
        yield f"store: bars are wrong: {str(error)[:200]}"


def complaints(
    url: str,
    ticks: list[Tick],
    expected: tuple[dict[tuple[str, int], Signal], set[str]],
    clients: list[StreamClient],
    reader: TopicReader,
) -> list[str]:
    """Return what is wrong."""
    signals, alerts = expected
    found = list(stored(url, ticks, signals, alerts))
    of_topic = {key: (one.revision, one.zscore) for key, one in reader.closes.items()}
    found += differences("topic", of_topic, signals)
    found += (
        [f"topic: {len(reader.doubled)} seconds said in two ways: {reader.doubled[0]}"]
        if reader.doubled
        else []
    )
    everybody = [("topic", set(reader.alerts))]
    for number, client in enumerate(clients, 1):
        found += differences(f"client {number}", dict(client.closes), signals)
        found += [f"client {number}: {client.error!r}"] if client.error else []
        everybody.append((f"client {number}", client.alerts))
    for name, told in everybody:
        if told != alerts:
            found.append(
                f"{name}: {len(alerts - told)} alerts missing, {len(told - alerts)} that there are not"
            )
    return found


def settled(found: Callable[[], list[str]], within_s: float) -> tuple[list[str], float]:
    """Return what is wrong once nothing is, or when the time is over, and how long that took (s)."""
    began_s = time.monotonic()
    while (wrong := found()) and time.monotonic() - began_s < within_s:
        time.sleep(2)
    return wrong, time.monotonic() - began_s
