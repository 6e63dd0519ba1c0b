"""The flags of ``pairstream up``, and the variables of the services they become."""

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.common.settings import PREFIX

DEFAULT_DATA_DIR = Path(".pairstream")
# Flags that are a variable of the services under the same name.
_PASSED_ON = ("replay_file", "speed", "symbols", "pairs", "seed", "api_port", "ui_port")


@dataclass(frozen=True)
class UpSettings:
    """How to run on one machine: `environment` is what every service gets, flags before variables."""

    feed: str
    data_dir: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, flags: Namespace) -> "UpSettings":
        """Build from the parsed command line; a replay file alone means the replay feed."""
        feed = flags.feed or ("replay" if flags.replay_file else os.environ.get(f"{PREFIX}FEED", "auto"))
        given = {
            f"{PREFIX}{name.upper()}": str(value)
            for name in _PASSED_ON
            if (value := getattr(flags, name)) is not None
        }
        return cls(feed, flags.data_dir, {**os.environ, **given})
