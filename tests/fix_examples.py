"""How many examples hypothesis tries: under the profile ``dev`` a share of what each test asks for."""

from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

_SHARE = 4
_FEWEST = 10
# How long an example takes depends on what else the machine does.
settings.register_profile("full", deadline=None)
# What `make test`, and pytest by itself, runs: a share. `make fuzz` runs `full`, and the parsers as `fuzz`.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "fuzz", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Divide the examples of each test by the share, unless all were asked for with another profile."""
    if settings.get_current_profile_name() != "dev":
        return
    # The cases of a test are one function.
    functions = {
        function for item in items if is_hypothesis_test(function := getattr(item, "function", None))
    }
    for function in functions:
        divide(function)


def divide(test: Any) -> None:
    """Have a test try a share of its examples; few stay as they are.

    What a test asks for in its own decorator outweighs a profile, so hypothesis' own note of it is changed.
    """
    asked = test._hypothesis_internal_use_settings
    count = min(asked.max_examples, max(_FEWEST, asked.max_examples // _SHARE))
    test._hypothesis_internal_use_settings = settings(asked, max_examples=count)
