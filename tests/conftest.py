"""Settings of all tests; fixtures stand by subject in ``fix_*.py``."""

import os
import sys
from pathlib import Path

# Several workers whose numpy takes every core are in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Where no bytecode is kept each service compiles all it imports at every start, which takes as long again.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(Path(sys.prefix, "bytecode"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = [
    "tests.fix_broker",
    "tests.fix_database",
    "tests.fix_examples",
    "tests.fix_pipeline",
    "tests.soak.fix_rig",
]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case of binary data by its argument: packed data hold the time at which they were packed.

    Each process of a run collects the tests for itself, and all must find the same names.
    """
    return argname if isinstance(val, bytes) and not val.isascii() else None
