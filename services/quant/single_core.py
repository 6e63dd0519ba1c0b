"""One core for each process, set before numpy counts them: import this module before numpy.

Threads would be in each other's way, and the last bit of a number would depend on how many there are.
"""

import os

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
