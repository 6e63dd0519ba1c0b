"""Start the API: ``python -m services.api``."""

from functools import partial

from services.api.server import serve
from services.api.settings import ApiSettings
from services.common import process


def main() -> None:
    """Answer requests until SIGTERM or SIGINT."""
    settings = process.start("api", ApiSettings)
    process.run("api", partial(serve, settings))


if __name__ == "__main__":
    main()
