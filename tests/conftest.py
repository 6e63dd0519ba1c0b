"""What all tests share: fixtures by subject, in ``fix_*.py``."""

from hypothesis import HealthCheck, settings

# ``make fuzz``; the rest of the suite has the default of 100 examples and must not take for ever.
settings.register_profile(
    "fuzz", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

pytest_plugins = ["tests.fix_broker", "tests.fix_database", "tests.fix_pipeline", "tests.soak.fix_rig"]
