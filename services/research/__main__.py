"""Start research: ``python -m services.research``."""

from functools import partial

from services.common import process
from services.research.service import serve
from services.research.settings import ResearchSettings


def main() -> None:
    """Do the jobs that are asked for until SIGTERM or SIGINT."""
    settings = process.start("research", ResearchSettings)
    process.run("research", partial(serve, settings))


if __name__ == "__main__":
    main()
