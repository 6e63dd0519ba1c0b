"""Coverage by minutes of event time."""

from services.common.clock import HOUR, MINUTE
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.coverage import Coverage

AT_US = 1_800_000_000_000_000 // MINUTE * MINUTE


def test_nothing_is_known_before_there_is_anything() -> None:
    assert Coverage().share([], AT_US, 60) is None


def test_only_the_minutes_asked_for_count() -> None:
    coverage = Coverage()
    coverage.count(AT_US, 3)
    coverage.count(AT_US - 59 * MINUTE, 3)
    coverage.count(AT_US - 60 * MINUTE, 100)
    missing = [IdSpan(1, 2, AT_US - MINUTE, AT_US - MINUTE), IdSpan(5, 104, AT_US - 2 * HOUR, AT_US - HOUR)]
    assert coverage.share(missing, AT_US, 60) == 6 / 8
    assert coverage.share(missing, AT_US, 1440) == 106 / 208


def test_all_missing_is_none_of_it() -> None:
    assert Coverage().share([IdSpan(1, 9, AT_US - 5, AT_US)], AT_US, 60) == 0.0


def test_what_is_written_off_counts_as_before() -> None:
    span = IdSpan(1, 1_000, AT_US - 3 * HOUR - 7, AT_US + 11)
    coverage, written_off = Coverage(), Coverage()
    for one in (coverage, written_off):
        one.count(AT_US, 100)
    written_off.write_off(span)
    for minutes in (1, 60, 100, 1440):
        assert written_off.share([], AT_US, minutes) == coverage.share([span], AT_US, minutes)


def test_a_day_is_all_that_is_remembered() -> None:
    coverage = Coverage()
    for minute in range(3 * 1440):
        coverage.count(AT_US - minute * MINUTE)
        coverage.write_off(IdSpan(1, 1, AT_US - minute * MINUTE, AT_US - minute * MINUTE))
    coverage.forget(AT_US)
    assert coverage.share([], AT_US, 10**6) == 0.5
    assert len(coverage.seen) <= 1441
