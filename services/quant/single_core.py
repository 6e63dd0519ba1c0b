"""Imported before numpy by processes that share a machine: each takes one core, before numpy counts them.

Threads would be in each other's way, and the last bit of a number would depend on how many there are.
"""

import os

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
