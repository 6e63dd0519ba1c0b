"""Rejection counts: when damaged frames are a trend."""

from services.ingest.rejections import Rejections


def test_a_few_damaged_frames_are_no_alarm_however_few_there_are_in_all() -> None:
    rejections = Rejections(0.05)
    assert rejections.judge(taken=0, rejected=9) is None
    assert rejections.judge(taken=0, rejected=10) is not None


def test_the_share_is_that_of_the_last_minute() -> None:
    rejections = Rejections(0.05)
    for second in range(1, 121):
        assert rejections.judge(taken=100 * second, rejected=4 * second) is None
    alarms = [rejections.judge(taken=12_000, rejected=480 + 50 * second) for second in range(1, 121)]
    assert alarms[0] is None
    assert alarms[-1] == "3000 of the last minute's 3000 frames were rejected (100%): see dead-letters"


def test_the_alarm_ends_a_minute_after_its_reason() -> None:
    rejections = Rejections(0.05)
    assert rejections.judge(taken=0, rejected=50) is not None
    alarms = [rejections.judge(taken=0, rejected=50) for _ in range(60)]
    assert alarms[58] is not None
    assert alarms[59] is None
