"""dead-letters on a broker: list and show them, and send them where they came from."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from services.common.kafka import clients
from services.common.kafka.dead_letters import DeadLetter, DeadLetters
from services.common.settings import KafkaSettings
from tests.integration.test_import import Commands

pytestmark = pytest.mark.integration


@pytest.fixture
def run(broker: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Return what runs a command on a broker of its own."""
    monkeypatch.setenv("PAIRSTREAM_BROKERS", broker)
    return Commands(monkeypatch, capsys)


async def _fill(settings: KafkaSettings) -> None:
    """Publish a tick and a pair's settings that cannot be read, and put both and three others aside."""
    async with clients.producer(settings) as producer:
        tick = await producer.send_and_wait("ticks", b"{", key=b"BTCUSDT", partition=2)
        pair = await producer.send_and_wait("pairs", b"[", key=b"ETHUSDT-BTCUSDT", partition=1)
        letters = DeadLetters(producer.send, "sink")
        await letters.put_all(
            [
                DeadLetter.of("ticks", 2, tick.offset, b"{", "it is cut off"),
                DeadLetter.of("pairs", 1, pair.offset, b"[", "Expected an object"),
                DeadLetter.of("pairs", 1, 999, b"[]", "Expected an object"),
                DeadLetter.of("ticks", 3, 999, b"{}", "symbol is missing"),
                DeadLetter(b"\xff", "no JSON", "feed live", "line 7"),
            ]
        )


async def _read(settings: KafkaSettings, topic: str, partition: int, count: int) -> Sequence[ConsumerRecord]:
    async with clients.consumer(settings) as consumer:
        consumer.assign([TopicPartition(topic, partition)])
        await consumer.seek_to_beginning()
        async with asyncio.timeout(20):
            return [await consumer.getone() for _ in range(count)]


def test_what_could_not_be_processed_is_seen_and_sent_again(broker: str, run: Commands) -> None:
    settings = KafkaSettings(brokers=broker)
    assert run("dead-letters", "list") == "0 dead letters\n"
    asyncio.run(_fill(settings))
    listed = run("dead-letters", "list").splitlines()
    assert listed[-1] == "5 dead letters"
    ids = {line.split()[2]: line.split()[0] for line in listed[:-1]}
    assert "0 dead letters" in run("dead-letters", "list", "--end", "2020-01-01T00:00:00Z")
    assert "2 dead letters, the first 1 shown" in run(
        "dead-letters", "list", "--reason", "EXPECTED AN", "--limit", "1"
    )

    shown = run("dead-letters", "show", ids["ticks/2/0"])
    assert "reason   it is cut off\n" in shown
    assert shown.endswith("\n\n{\n")
    assert run("dead-letters", "show", "0/999", fails=True) == ""
    assert run("dead-letters", "show", "ticks", fails=True) == ""

    dry = run("dead-letters", "replay", "--all", "--dry-run")
    assert dry.splitlines()[-1] == "4 would be sent, 1 not"
    assert f"{ids['line']:<10}  not sent: it came from feed live, not from a topic" in dry
    assert (
        run("dead-letters", "replay", fails=True)
        == run("dead-letters", "replay", "--all", "0/1", fails=True)
        == ""
    )

    sent = run("dead-letters", "replay", "--all").splitlines()
    assert sent[-1] == "3 sent, 2 not"
    assert (
        f"{ids['pairs/1/999']:<10}  not sent: the message at pairs/1/999, which had its key, is no longer on the topic"
        in sent
    )
    again = asyncio.run(_read(settings, "ticks", 2, 2))[1]
    assert (again.value, again.key, again.headers[0][0]) == (b"{", b"BTCUSDT", "replayed")
    assert asyncio.run(_read(settings, "pairs", 1, 2))[1].key == b"ETHUSDT-BTCUSDT"
    unkeyed = asyncio.run(_read(settings, "ticks", 3, 1))[0]
    assert (unkeyed.value, unkeyed.key) == (b"{}", None)


def test_a_broker_that_is_away_is_one_line(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRSTREAM_BROKERS", "127.0.0.1:9")
    assert run("dead-letters", "list", fails=True) == ""
