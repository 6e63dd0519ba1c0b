"""Start ingest: ``python -m services.ingest``."""

from services.common import process


def main() -> None:
    """Run the service, configured by the environment."""
    from services.ingest.settings import IngestSettings

    settings = process.start("ingest", IngestSettings)
    from services.ingest.service import serve

    process.run("ingest", lambda: serve(settings))


if __name__ == "__main__":
    main()
