"""Start alerting: ``python -m services.alerting``."""

from functools import partial

from services.alerting.service import serve
from services.alerting.settings import AlertingSettings
from services.common import process


def main() -> None:
    """Watch and alert until SIGTERM or SIGINT."""
    settings = process.start("alerting", AlertingSettings)
    process.run("alerting", partial(serve, settings))


if __name__ == "__main__":
    main()
