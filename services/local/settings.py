"""Flags of ``pairstream up`` and ``record``, and the variables of services that they set."""

import os
import re
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from services.common.errors import FatalError
from services.common.settings import PREFIX, Settings

DEFAULT_DATA_DIR = Path(".pairstream")
KEEP = "7d"
"""Age at which `pairstream up` deletes raw ticks, unless told."""
RETENTION = f"{PREFIX}RETENTION_TICKS"
# Flags that are a variable of the services under the same name.
_PASSED_ON = ("replay_file", "speed", "symbols", "pairs", "seed", "api_port", "ui_port")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd]?)")
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class UpSettings:
    """Settings of ``pairstream up``: `environment` is what every service gets, flags before variables."""

    feed: str
    data_dir: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, flags: Namespace) -> "UpSettings":
        """Build from the parsed command line; a replay file alone means the replay feed."""
        feed = flags.feed or ("replay" if flags.replay_file else os.environ.get(f"{PREFIX}FEED", "auto"))
        environment = _environment(flags, _PASSED_ON)
        if flags.keep is not None:
            environment[RETENTION] = flags.keep
        elif feed != "replay" and not {RETENTION, f"{RETENTION}_FILE"} & environment.keys():
            # What is replayed is of any age.
            environment[RETENTION] = KEEP
        return cls(feed, flags.data_dir, environment)


@dataclass(frozen=True)
class RecordSettings:
    """Settings of ``pairstream record``: `environment` is that of ingest, flags before variables."""

    file: Path
    force: bool
    duration_s: float | None
    environment: Mapping[str, str]

    @classmethod
    def of(cls, flags: Namespace) -> "RecordSettings":
        """Build from the parsed command line; FatalError for a duration that is none."""
        environment = _environment(flags, ("symbols", "streams"))
        duration_s = None if flags.duration is None else _seconds(flags.duration)
        return cls(flags.file, flags.force, duration_s, {**environment, f"{PREFIX}FEED": "live"})


def unknown(environ: Iterable[str], kinds: Iterable[type[Settings]]) -> Iterator[str]:
    """Yield a warning for each of our variables in `environ` that is no setting of `kinds`."""
    known = [
        f"{PREFIX}{field.upper()}{twin}"
        for twin in ("", "_FILE")
        for kind in kinds
        for field in kind.model_fields
    ]
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and name not in known:
            near = get_close_matches(name, known, 1)
            yield f"{name} is no setting and changes nothing{f'; did you mean {near[0]}?' if near else '.'}"


def _environment(flags: Namespace, names: Iterable[str]) -> dict[str, str]:
    given = {
        f"{PREFIX}{name.upper()}": str(value) for name in names if (value := getattr(flags, name)) is not None
    }
    return {**os.environ, **given}


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise FatalError(f"--duration: expected a time above 0 such as 90s, 10m or 2h, received {text!r}")
    return float(match[1]) * _UNIT_S[match[2] or "s"]
