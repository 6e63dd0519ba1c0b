"""Start stream_analytics: ``python -m services.stream_analytics``."""

from services.common import process


def main() -> None:
    """Run the service, configured by the environment."""
    import services.quant.single_core  # noqa: F401
    from services.stream_analytics.settings import StreamSettings

    settings = process.start("stream_analytics", StreamSettings)
    from services.stream_analytics.faust.app import StreamAnalytics

    process.run("stream_analytics", lambda: StreamAnalytics(settings).serve())


if __name__ == "__main__":
    main()
