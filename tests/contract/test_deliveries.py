"""Deliveries in the store: each is taken by one sender at a time, no faster than its target takes them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec
import psycopg
import pytest

from services.common import clock
from services.common.settings import DatabaseSettings
from services.contracts.targets import AlertNotification, Target
from services.store import database, deliveries, targets
from services.store.database import Connection
from services.store.deliveries import NewDelivery, Outcome
from services.store.targets import MOST_TARGETS, ROTATION, StoredTarget, TooManyTargetsError

T = TypeVar("T")
SECRETS = ["whsec_" + letter * 32 for letter in "ab"]
ARRIVED = Outcome("delivered", None, 200, 12)


def target(name: str = "bot", secret: str = SECRETS[0], **more: Any) -> Target:
    """Return a webhook."""
    body = {"id": name, "kind": "webhook", "url": "https://example.org/hook?key=1", "secret": secret}
    return msgspec.convert(body | more, Target)


def new(number: int, name: str = "bot", reason: str | None = None) -> NewDelivery:
    """Return a delivery of an alert."""
    told = AlertNotification(kind="begun", target=name, group={}, alerts=())
    alert_ids = (f"alert-{number}",)
    return NewDelivery(
        deliveries.delivery_id(name, "begun", alert_ids), name, alert_ids, "z-score", told, reason
    )


def on(url: str, use: Callable[[Connection], Awaitable[T]]) -> T:
    """Return what `use` returns on a connection."""

    async def used() -> T:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            return await use(connection)

    return asyncio.run(used())


def rows(url: str, columns: str = "state") -> list[Any]:
    """Return columns of all deliveries, the first one first."""
    with psycopg.connect(url) as connection:
        return [
            row[0]
            for row in connection.execute(f"SELECT {columns} FROM deliveries ORDER BY alert_ids")  # noqa: S608
        ]


def elapse(url: str, seconds: float) -> None:
    """Make it later for all that waits."""
    with psycopg.connect(url) as connection:
        values = [timedelta(seconds=seconds)]
        connection.execute("UPDATE deliveries SET next_at = next_at - %s", values)
        connection.execute("UPDATE deliveries SET leased_until = leased_until - %s", values)
        connection.execute("UPDATE targets SET paced_until = paced_until - %s", values)
        connection.execute("UPDATE targets SET blocked_until = blocked_until - %s", values)
        connection.execute("UPDATE targets SET former_until = former_until - %s", values)


def put(url: str, *wanted: Target) -> None:
    """Store targets."""
    for one in wanted:
        on(url, partial(targets.put, target=one))


def add(url: str, *told: NewDelivery) -> None:
    """Store deliveries."""
    on(url, lambda connection: deliveries.add(connection, told))


def take(url: str, most: int = 10, per_minute: int = 6_000) -> list[str]:
    """Return the ids of deliveries that a sender takes."""
    found = on(url, lambda connection: deliveries.take(connection, "bot", per_minute, most))
    return [one.delivery_id for one in found]


def known(url: str) -> list[StoredTarget]:
    """Return all targets."""
    return on(url, targets.stored)


def test_what_is_secret_is_kept_apart_and_comes_back(store: str) -> None:
    wanted = target(matchers={"subject": "ETH*"}, per_minute=7)
    put(store, wanted)
    assert [one.target for one in known(store)] == [wanted]
    with psycopg.connect(store) as connection:
        ((told,),) = connection.execute("SELECT target::text FROM targets").fetchall()
    assert "whsec_" not in told
    assert "key=1" not in told


def test_the_former_secret_counts_for_a_day(store: str) -> None:
    put(store, target())
    assert known(store)[0].former_secret is None
    put(store, target(secret=SECRETS[1]))
    put(store, target(secret=SECRETS[1], per_minute=9))
    assert (known(store)[0].target.secret, known(store)[0].former_secret) == (SECRETS[1], SECRETS[0])
    elapse(store, ROTATION.total_seconds() + 1)
    assert known(store)[0].former_secret is None


def test_there_are_only_so_many_targets(store: str) -> None:
    with psycopg.connect(store) as connection:
        connection.execute(
            "INSERT INTO targets (id, target, url, secret) SELECT 't' || n, '{}', '', '' FROM generate_series(1, %s) n",
            [MOST_TARGETS],
        )
    with pytest.raises(TooManyTargetsError):
        put(store, target())


def test_the_same_delivery_is_added_once_and_none_to_a_target_that_is_gone(store: str) -> None:
    put(store, target())
    add(store, new(1), new(2, reason="silenced"))
    add(store, new(1), new(3, "gone"))
    assert rows(store) == ["waiting", "skipped"]


def test_a_delivery_is_taken_by_one_and_again_when_its_lease_is_over(store: str) -> None:
    put(store, target())
    add(store, new(1))
    (taken,) = take(store)
    assert take(store) == []
    elapse(store, deliveries.LEASE_S + 1)
    assert take(store) == [taken]
    assert rows(store, "tries") == [2]


def test_two_senders_at_once_take_none_twice(store: str) -> None:
    put(store, target())
    add(store, *(new(number) for number in range(200)))

    async def both() -> list[str]:
        settings = DatabaseSettings(database_url=store)
        async with database.connect(settings, "a") as one, database.connect(settings, "b") as other:
            taken = await asyncio.gather(*(_all(connection) for connection in (one, other)))
        return [name for some in taken for name in some]

    async def _all(connection: Connection) -> list[str]:
        found: list[str] = []
        for _ in range(20):
            found += [one.delivery_id for one in await deliveries.take(connection, "bot", 60_000, 10)]
        return found

    taken = asyncio.run(both())
    assert len(taken) == len(set(taken)) == 200


def test_a_target_takes_no_more_in_a_minute_than_it_may(store: str) -> None:
    put(store, target())
    add(store, *(new(number) for number in range(30)))
    assert len(take(store, 30, per_minute=60)) == 6, "a tenth may come at once"
    assert take(store, 30, per_minute=60) == []
    elapse(store, 2)
    assert len(take(store, 30, per_minute=60)) == 2
    elapse(store, 3_600)
    assert len(take(store, 30, per_minute=60)) == 6, "of those that nobody has finished, or more that are new"


def test_a_try_ends_as_it_is_noted(store: str) -> None:
    put(store, target())
    add(store, new(1), new(2))

    async def use(connection: Connection) -> None:
        one, other = await deliveries.take(connection, "bot", 6_000, 10)
        failed = Outcome("failed", "received 503", 503, 7, next_s=5)
        noted = await deliveries.finish(connection, [(one, ARRIVED), (other, failed)])
        assert noted == {one.delivery_id, other.delivery_id}
        assert await deliveries.finish(connection, [(other._replace(tries=9), ARRIVED)]) == set()

    on(store, use)
    assert sorted(rows(store)) == ["delivered", "failed"]
    assert take(store) == []
    elapse(store, 6)
    assert len(take(store)) == 1


def test_a_target_that_asks_for_it_is_left_alone(store: str) -> None:
    put(store, target())
    add(store, new(1))
    on(store, lambda connection: deliveries.note_failure(connection, "bot", 60.0))
    assert take(store) == []
    waits = on(store, deliveries.due_in_s)
    assert 55 < waits["bot"] <= 60
    elapse(store, 61)
    assert len(take(store)) == 1


def test_how_long_a_target_has_failed_counts_until_something_arrives(store: str) -> None:
    put(store, target())
    on(store, lambda connection: deliveries.note_failure(connection, "bot", None))
    with psycopg.connect(store) as connection:
        connection.execute("UPDATE targets SET failing_since = failing_since - interval '6 days'")
    failing_s = on(store, lambda connection: deliveries.note_failure(connection, "bot", None))
    assert failing_s == pytest.approx(6 * 86_400, abs=60)
    on(store, lambda connection: deliveries.note_success(connection, "bot"))
    assert on(store, lambda connection: deliveries.note_failure(connection, "bot", None)) < 60


def test_to_a_disabled_target_nothing_is_delivered_until_it_is_written_again(store: str) -> None:
    put(store, target())
    add(store, new(1))
    assert on(store, lambda connection: deliveries.disable(connection, "bot", "410 Gone"))
    assert not on(store, lambda connection: deliveries.disable(connection, "bot", "410 Gone"))
    assert (rows(store), rows(store, "reason")) == (["skipped"], ["the target was disabled: 410 Gone"])
    assert known(store)[0].is_disabled
    put(store, target())
    assert known(store)[0].takes
    add(store, new(2))
    assert len(take(store)) == 1


def test_a_removed_target_leaves_its_log(store: str) -> None:
    put(store, target())
    add(store, new(1))
    assert on(store, lambda connection: targets.remove(connection, "bot"))
    assert not on(store, lambda connection: targets.remove(connection, "bot"))
    assert (rows(store), rows(store, "reason")) == (["skipped"], ["the target was removed"])


def test_a_time_is_replayed_under_the_ids_it_had(store: str) -> None:
    put(store, target())
    add(store, new(1), new(2, reason="silenced"), new(3))
    taken = take(store)
    with psycopg.connect(store) as connection:
        connection.execute("UPDATE deliveries SET state = 'dead' WHERE tries > 0")
        connection.execute(
            "UPDATE deliveries SET ts = now() - interval '1 day' WHERE 'alert-3' = ANY (alert_ids)"
        )
    now = clock.to_datetime(clock.now_us())
    hour = timedelta(hours=1)

    async def use(connection: Connection) -> tuple[int, int]:
        some = await deliveries.replay(connection, "bot", now - hour, now + hour, ["dead", "skipped"])
        none = await deliveries.replay(connection, "bot", now - hour, now + hour, ["delivered"])
        return some, none

    assert on(store, use) == (2, 0)
    elapse(store, deliveries.LEASE_S + 1)
    assert taken[0] in (again := take(store))
    assert len(again) == 2


def test_alerts_that_were_told_are_known_from_the_log(store: str) -> None:
    put(store, target())
    add(store, new(1), new(2))
    with psycopg.connect(store) as connection:
        connection.execute("UPDATE deliveries SET kind = 'ended' WHERE 'alert-2' = ANY (alert_ids)")
    found = on(store, lambda connection: deliveries.known_alerts(connection, "bot", 10))
    assert found == {"alert-1": False, "alert-2": True}
