from services.common.kafka.consumer_watchdog import ConsumerWatchdog


def test_offsets_that_stand_still_while_messages_come_are_reported() -> None:
    watchdog: ConsumerWatchdog[str] = ConsumerWatchdog(10)
    assert all(
        watchdog.measure(second, {"a": 5, "b": second}, {"a": 6 + second, "b": 99}) is None
        for second in range(10)
    )
    complaint = watchdog.measure(10, {"a": 5, "b": 10}, {"a": 16, "b": 99})
    assert complaint == "expected a to be read, but offset 5 has stood still for 10 s while 11 messages wait"


def test_whoever_moves_waits_for_nothing_or_sees_nothing_new_is_well() -> None:
    watchdog: ConsumerWatchdog[str] = ConsumerWatchdog(10)
    for second in range(100):
        read = {"slow": second // 8, "done": 7, "quiet": 3}
        assert watchdog.measure(second, read, {"slow": 10 * second + 10, "done": 7, "quiet": 4}) is None


def test_a_partition_that_was_away_begins_anew() -> None:
    watchdog: ConsumerWatchdog[str] = ConsumerWatchdog(10)
    assert watchdog.measure(0, {"a": 5}, {"a": 6}) is None
    assert watchdog.measure(5, {}, {}) is None
    assert watchdog.measure(12, {"a": 5}, {"a": 9}) is None
