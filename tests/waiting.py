"""Wait for a condition with a deadline, never for time to pass."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], what: str, within_s: float = 60) -> None:
    """Return once `condition` holds; AssertionError says what was expected after `within_s`."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"expected within {within_s} s: {what}"
        time.sleep(0.02)
