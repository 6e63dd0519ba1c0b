"""Virtualenvs of the peers: each from a lock of its own, outside the project, made when missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.load import ROOT

_PLACE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pairstream", "peers")
_INSTALL_S = 600


class MissingPeerError(Exception):
    """A peer cannot be had here; the message says why."""


def python_of(name: str) -> str:
    """Return the interpreter that has the requirements of a peer; MissingPeerError if they cannot be installed."""
    lock = ROOT / "benchmarks/peers" / name / "requirements.lock"
    home = _PLACE / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    python, made_of = home / "bin/python", home / "made-of.lock"
    if made_of.exists() and made_of.read_bytes() == lock.read_bytes():
        return str(python)
    home.parent.mkdir(parents=True, exist_ok=True)
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, home)
    _uv("pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", lock)
    made_of.write_bytes(lock.read_bytes())
    return str(python)


def version_of(name: str, package: str) -> str | None:
    """Return the version of a package in the lock of a peer."""
    lock = (ROOT / "benchmarks/peers" / name / "requirements.lock").read_text()
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)
    return found[1] if found else None


def _uv(*arguments: object) -> None:
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise MissingPeerError(f"uv {arguments[0]} did not end within {_INSTALL_S} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise MissingPeerError(f"expected uv {arguments[0]} to succeed: {last}")
