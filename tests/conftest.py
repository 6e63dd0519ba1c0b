"""What all tests share: fixtures by subject, in ``fix_*.py``."""

pytest_plugins = ["tests.fix_broker", "tests.fix_database", "tests.fix_pipeline"]
