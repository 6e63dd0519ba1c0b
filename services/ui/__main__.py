"""Start the dashboard: ``python -m services.ui``."""

from functools import partial

from services.common.process import run, start
from services.ui.server import serve
from services.ui.settings import UiSettings


def main() -> None:
    """Serve the dashboard until a signal."""
    settings = start("ui", UiSettings)
    run("ui", partial(serve, settings))


if __name__ == "__main__":
    main()
