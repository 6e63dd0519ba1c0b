"""``python -m tests.brokers``: bring what a Kafka for tests needs, or say why there will be none."""

import sys
import tempfile
from pathlib import Path

from tests.brokers import distribution
from tests.brokers.kafka import Cluster


def main() -> None:
    """Fetch Kafka, and archive its classes from a broker that has run; what is here is not brought again."""
    if reason := distribution.fetch():
        sys.stdout.write(f"{reason}: the tests on Kafka will be skipped\n")
    elif not distribution.CLASSES.exists():
        with tempfile.TemporaryDirectory(prefix="pairstream-kafka-") as directory:
            cluster = Cluster(Path(directory), brokers=1)
            cluster.start(options=(f"-XX:ArchiveClassesAtExit={distribution.CLASSES}", "-Xlog:cds=off"))
            cluster.brokers[0].stop()


if __name__ == "__main__":
    main()
