from services.common.messages import Alert, Tick, encode
from services.sink.batch import Batch, Partition

TICK = Tick(
    venue="binance",
    symbol="BTCUSDT",
    trade_id=1,
    event_us=2,
    received_us=3,
    price=4.0,
    size=5.0,
    buyer_is_maker=True,
)
ALERT = Alert(
    alert_id="a",
    rule_id="entry",
    pair="ETHUSDT-BTCUSDT",
    event_us=2,
    state="firing",
    value=3.0,
    threshold=2.0,
    message="above",
)


def test_messages_are_kept_by_topic_with_where_they_came_from() -> None:
    batch = Batch()
    batch.add(Partition("ticks", 1), 10, encode(TICK))
    batch.add(Partition("alerts", 0), 20, encode(ALERT))
    assert [
        (topic, record.message, record.partition, record.offset)
        for topic, records in batch
        for record in records
    ] == [("ticks", TICK, ("ticks", 1), 10), ("alerts", ALERT, ("alerts", 0), 20)]
    assert len(batch) == 2


def test_offsets_are_those_of_the_next_message_of_each_partition() -> None:
    batch = Batch()
    for offset in (10, 11, 14):
        batch.add(Partition("ticks", 1), offset, encode(TICK))
    batch.add(Partition("ticks", 2), 3, b"not a tick")
    assert batch.read == {("ticks", 1): 15, ("ticks", 2): 4}


def test_what_cannot_be_decoded_is_refused_whole_and_counted() -> None:
    batch = Batch()
    batch.add(Partition("ticks", 1), 10, b"{")
    batch.add(Partition("ticks", 1), 11, None)
    assert [(one.raw, one.offset) for one in batch.refused] == [(b"{", 10), (b"", 11)]
    assert "expected a Tick" in batch.refused[0].reason
    assert len(batch) == 2
    assert list(batch) == []


def test_an_empty_batch_is_false() -> None:
    assert not Batch()
