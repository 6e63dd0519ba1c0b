"""Delivery as a process: each alert arrives once at a receiver that knows what it has, whatever happens to either."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import msgspec
import pytest

from services.common import clock
from services.common.codec import decode
from services.contracts.messages import Alert
from services.contracts.topics import ALERTS, HEARTBEATS
from tests.broker import read_all
from tests.delivery_process import Delivery, alert
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres, created
from tests.receivers import OTHER_SECRET, SECRET, receiver
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def delivery(postgres: Postgres, template: str) -> Iterator[Delivery]:
    with ExitStack() as stack:
        broker = stack.enter_context(embedded_broker())
        url = stack.enter_context(created(postgres.url, template))
        made = Delivery(broker, url, stack.enter_context(receiver()))
        try:
            yield made
        finally:
            made.kill()


def test_an_alert_arrives_signed_and_its_end_too(delivery: Delivery) -> None:
    delivery.put("ok")
    delivery.put("other", "/ok", matchers={"subject": "SOL*"})
    delivery.start()
    delivery.is_ready("ok")
    delivery.send(alert(0), alert(0, "resolved"))
    delivery.wait("ok", ["delivered", "delivered"])
    first, second = delivery.receiver.received
    told = first.verify()
    assert (told["type"], told["data"]["alerts"][0]["alert_id"]) == ("alert.begun", "wide:0:firing")
    assert second.verify()["type"] == "alert.ended"
    assert delivery.rows("other") == []
    assert delivery.rows("ok", "status") == [200, 200]


def test_receivers_that_fail_hang_redirect_or_are_gone_are_treated_as_they_ask(delivery: Delivery) -> None:
    for name in ("ok", "fail", "hang", "redirect", "gone", "busy"):
        delivery.put(name, matchers={"rule": "wide"})
    delivery.start(PAIRSTREAM_DELIVERY_TIMEOUT_S="3")
    delivery.is_ready("ok")
    delivery.send(alert(0))
    delivery.wait("ok", ["delivered"])
    for name in ("fail", "hang", "redirect", "busy"):
        delivery.wait(name, ["failed"])
    delivery.wait("gone", ["dead"])
    reasons = {
        name: delivery.rows(name, "reason")[0] for name in ("fail", "hang", "redirect", "gone", "busy")
    }
    assert reasons == {
        "fail": "expected a status of 2xx, received 500 Internal Server Error: out of order",
        "hang": "expected an answer within 3 s, received none",
        "redirect": "expected a status of 2xx, received 302 Found: redirects are not followed",
        "gone": "expected a status of 2xx, received 410 Gone",
        "busy": "expected a status of 2xx, received 429 Too Many Requests",
    }
    assert sum(delivery.receiver.ids().values()) == 1, "a redirect was followed"
    delivery.elapse(7)
    wait_until(lambda: delivery.rows("fail", "tries") == [2], "a second try")
    assert delivery.rows("busy", "tries") == [1], "the receiver has asked for an hour"
    assert set(delivery.receiver.ids("/fail").values()) == {2}, "the same id at each try"
    delivery.send(alert(1))
    delivery.wait("ok", ["delivered"] * 2)
    assert delivery.rows("gone") == ["dead"], "it wants nothing more"
    delivery.receiver.answers["/busy"] = delivery.receiver.answers["/fail"] = (204, {}, b"")
    delivery.elapse(3_700)
    delivery.wait("busy", ["delivered"] * 2)
    delivery.wait("fail", ["delivered"] * 2)


def test_a_target_that_fails_for_days_is_disabled_which_an_alert_tells_until_it_is_written_again(
    delivery: Delivery,
) -> None:
    delivery.put("ok", matchers={"rule": "built-in.target-disabled"})
    delivery.put("fail", group_by=["subject"])
    delivery.start()
    delivery.is_ready("ok")
    delivery.send(alert(0), alert(1))
    delivery.wait("fail", ["failed", "failed"])
    delivery.execute("UPDATE targets SET failing_since = now() - interval '6 days' WHERE id = 'fail'")
    delivery.execute("UPDATE deliveries SET next_at = now() WHERE 'wide:0:firing' = ANY (alert_ids)")
    delivery.wait("fail", ["skipped", "skipped"])
    delivery.wait("ok", ["delivered"])
    delivery.put("fail")
    delivery.wait("ok", ["delivered", "delivered"])
    told = [one.verify()["data"]["alerts"][0] for one in delivery.receiver.received if one.path == "/ok"]
    assert [one["state"] for one in told] == ["firing", "resolved"]
    assert "nothing was taken for 6.0 days" in told[0]["message"]
    alerts = [decode(record.value, Alert) for record in asyncio.run(read_all(delivery.broker, ALERTS.name))]
    assert len([one for one in alerts if one.rule == "built-in.target-disabled"]) == 2


def test_whatever_kills_it_each_alert_is_accepted_once(delivery: Delivery) -> None:
    delivery.put("ok", group_by=["subject"], per_minute=60_000)
    delivery.start()
    delivery.is_ready("ok")
    alerts = [alert(number) for number in range(300)]
    for first in range(0, 300, 100):
        delivery.send(*alerts[first : first + 100])
        wait_until(lambda first=first: len(delivery.receiver.alerts()) > first, "some of the alerts")  # type: ignore[misc]
        delivery.kill()
        delivery.execute("UPDATE deliveries SET leased_until = NULL")
        delivery.start()
    wait_until(lambda: len(delivery.receiver.alerts()) >= 300, "all alerts", 60)
    wait_until(lambda: set(delivery.rows("ok")) == {"delivered"}, "all deliveries to be noted")
    assert sorted(delivery.receiver.alerts()) == sorted(one.alert_id for one in alerts)


def test_two_processes_send_none_twice_and_one_goes_on_for_the_other(delivery: Delivery) -> None:
    delivery.put("ok", group_by=["subject"], per_minute=60_000)
    first = delivery.start()
    delivery.is_ready("ok")
    delivery.start()
    wait_until(lambda: _processes(delivery) == 2, "two processes", 60)
    delivery.send(*(alert(number) for number in range(100)))
    wait_until(lambda: len(delivery.receiver.alerts()) == 100, "all alerts")
    assert set(delivery.receiver.ids().values()) == {1}
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    delivery.send(*(alert(number) for number in range(100, 110)))
    wait_until(lambda: len(delivery.receiver.alerts()) == 110, "what came after the death of the first", 60)


def _processes(delivery: Delivery) -> int:
    """Return how many processes have told that they run."""
    records = asyncio.run(read_all(delivery.broker, HEARTBEATS.name))
    return len({record.key for record in records if b'"running"' in record.value})


def test_cut_connections_to_the_database_cost_nothing(delivery: Delivery) -> None:
    delivery.put("ok")
    delivery.start()
    delivery.is_ready("ok")
    delivery.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^pairstream-delivery'"
    )
    delivery.send(alert(0))
    delivery.wait("ok", ["delivered"])


def test_while_a_secret_is_rotated_both_sign(delivery: Delivery) -> None:
    delivery.put("ok")
    delivery.put("ok", secret=OTHER_SECRET)
    delivery.start()
    delivery.is_ready("ok")
    delivery.send(alert(0))
    delivery.wait("ok", ["delivered"])
    (received,) = delivery.receiver.received
    assert received.verify(SECRET) == received.verify(OTHER_SECRET)


def test_a_private_address_is_refused_unless_it_is_allowed(delivery: Delivery) -> None:
    delivery.put("ok")
    delivery.start(PAIRSTREAM_DELIVERY_ALLOW_PRIVATE="")
    delivery.send(alert(0))
    wait_until(lambda: delivery.rows("ok", "tries") != [] and delivery.rows("ok") == ["failed"], "a try", 60)
    (reason,) = delivery.rows("ok", "reason")
    assert reason.startswith("expected a public address of 127.0.0.1, received 127.0.0.1, which is loopback")
    assert delivery.receiver.received == []


def test_a_silence_holds_back_until_it_ends(delivery: Delivery) -> None:
    delivery.put("ok")
    silence = {"id": "night", "matchers": {"rule": "wide"}, "end_us": clock.now_us() + clock.HOUR}
    delivery.execute("INSERT INTO silences VALUES ('night', %s)", msgspec.json.encode(silence).decode())
    delivery.start()
    delivery.is_ready("ok")
    delivery.send(alert(0), alert(1), alert(1, "resolved"))
    delivery.wait("ok", ["skipped"])
    (reason,) = delivery.rows("ok", "reason")
    assert reason.startswith("it ended before it was delivered: it was silenced by night until ")
    delivery.execute("DELETE FROM silences")
    delivery.wait("ok", ["skipped", "delivered"])
    (received,) = delivery.receiver.received
    assert received.verify()["type"] == "alert.silence_over"


def test_what_was_open_ends_though_it_was_restarted_and_the_broker_is_new(
    delivery: Delivery, postgres: Postgres
) -> None:
    delivery.put("ok")
    delivery.start()
    delivery.is_ready("ok")
    delivery.send(alert(0))
    delivery.wait("ok", ["delivered"])
    delivery.kill()
    with embedded_broker() as broker:
        delivery.broker = broker
        delivery.start()
        delivery.send(alert(0), alert(0, "resolved"))
        delivery.wait("ok", ["delivered", "delivered"])
    assert delivery.rows("ok", "kind") == ["begun", "ended"]
