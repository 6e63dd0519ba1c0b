"""The flags of ``pairstream up``, and the variables of the services they become."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from services.common.settings import PREFIX

DEFAULT_DATA_DIR = Path(".pairstream")
# Flags that are a service's variable under the same name.
_PASSED_ON = ("replay_file", "speed", "symbols", "pairs", "seed")


@dataclass(frozen=True)
class UpSettings:
    """How to run on one machine; `variables` goes into the environment of every service."""

    feed: str
    data_dir: Path
    api_port: int
    ui_port: int
    variables: dict[str, str]

    @classmethod
    def of(cls, flags: Namespace) -> "UpSettings":
        """Build from the parsed command line; a replay file alone means the replay feed."""
        feed = flags.feed or ("replay" if flags.replay_file else "auto")
        variables = {
            f"{PREFIX}{name.upper()}": str(value)
            for name in _PASSED_ON
            if (value := getattr(flags, name)) is not None
        }
        return cls(feed, flags.data_dir, flags.api_port, flags.ui_port, variables)

    def environment(self) -> dict[str, str]:
        """Return the variables that the flags set."""
        return dict(self.variables)
