"""Start the sink: ``python -m services.sink``."""

from functools import partial

from services.common import process
from services.sink.service import serve
from services.sink.settings import SinkSettings


def main() -> None:
    """Write topics to the database until SIGTERM or SIGINT."""
    settings = process.start("sink", SinkSettings)
    process.run("sink", partial(serve, settings))


if __name__ == "__main__":
    main()
