import pytest

from services.common.errors import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("expected 1, received 2"), "expected 1, received 2"),
        (ValueError("first line\n  second line\n"), "first line second line"),
        (TimeoutError(), "TimeoutError"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
    ],
)
def test_a_reason_is_one_line_and_never_empty(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason
