"""Start delivery: ``python -m services.delivery``."""

from functools import partial

from services.common import process
from services.delivery.service import serve
from services.delivery.settings import DeliverySettings


def main() -> None:
    """Deliver alerts until SIGTERM or SIGINT."""
    settings = process.start("delivery", DeliverySettings)
    process.run("delivery", partial(serve, settings))


if __name__ == "__main__":
    main()
