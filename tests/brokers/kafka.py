"""Apache Kafka on loopback ports: one broker or more, in KRaft mode, empty, gone when the block ends."""

import asyncio
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.common.kafka import clients
from services.common.settings import KafkaSettings
from services.contracts import topics
from services.local.supervisor import end_with_parent
from tests.brokers import distribution
from tests.ports import free_port
from tests.waiting import wait_until

PARTITIONS = 4
_OPTIONS = (f"-XX:SharedArchiveFile={distribution.CLASSES}",)
# Three replicas of what must survive one broker, of which two are enough to go on.
_PROPERTIES = """
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={directory}
auto.create.topics.enable=false
min.insync.replicas={enough}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={enough}
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
# So that a killed member of a group can be missed sooner than after 6 s.
group.min.session.timeout.ms=1000
# It deletes and compacts in seconds what others keep for hours: of a partition it keeps 5 MiB, as the embedded one.
log.segment.bytes=1048576
log.retention.bytes=5242880
log.retention.check.interval.ms=200
log.initial.task.delay.ms=200
log.cleaner.backoff.ms=500
# Of 128 MiB, half of the heap.
log.cleaner.dedupe.buffer.size=8388608
# A broker that is killed is missed soon.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
"""


class Broker:
    """One broker, which is a controller, too."""

    def __init__(self, node: int, directory: Path) -> None:
        self.port, self.controller_port = free_port(), free_port()
        self.node = node
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the one that runs."""
        assert self._process is not None
        return self._process.pid

    def segment(self, topic: str, partition: int) -> Path:
        """Return the file with the first messages of a partition."""
        return self._directory / "storage" / f"{topic}-{partition}" / f"{0:020}.log"

    def format(self, cluster: str, voters: str, brokers: int) -> None:
        """Lay out an empty storage: what Kafka's tool wrote once, with this cluster's and this broker's id."""
        storage = self._directory / "storage"
        shutil.copytree(distribution.FORMATTED, storage)
        (storage / "meta.properties").write_text(f"version=1\ncluster.id={cluster}\nnode.id={self.node}\n")
        properties = _PROPERTIES.format(
            node=self.node,
            voters=voters,
            port=self.port,
            controller_port=self.controller_port,
            directory=storage,
            replicas=brokers,
            enough=(brokers + 1) // 2,
        )
        (self._directory / "server.properties").write_text(properties)

    def start(self, options: tuple[str, ...] = _OPTIONS) -> None:
        """Start it, or start it again with the storage it had; `options` are the JVM's."""
        command = distribution.java("kafka.Kafka", self._directory / "server.properties", options=options)
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_parent(signal.SIGKILL)
            )

    def listens(self) -> bool:
        """Tell whether its port is open; AssertionError with its log if it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def _end(self, signum: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signum)
            # One that archives its classes takes a minute on a busy machine.
            self._process.wait(180)
            self._process = None


class Cluster:
    """Brokers that know each other."""

    def __init__(self, directory: Path, brokers: int) -> None:
        self.brokers = [Broker(node, directory / str(node)) for node in range(1, brokers + 1)]
        self._voters = ",".join(f"{one.node}@127.0.0.1:{one.controller_port}" for one in self.brokers)

    @property
    def servers(self) -> str:
        """The addresses of all, as clients take them."""
        return ",".join(broker.address for broker in self.brokers)

    def start(self, options: tuple[str, ...] = _OPTIONS, partitions: int = PARTITIONS) -> None:
        """Format and start every broker, wait for each to answer, and create the topics of pairstream."""
        cluster = secrets.token_urlsafe(16)
        for broker in self.brokers:
            broker.format(cluster, self._voters, len(self.brokers))
            broker.start(options)
        for broker in self.brokers:
            wait_until(broker.listens, f"broker {broker.node} listens", within_s=60)
        asyncio.run(self._create_topics(partitions))

    async def _create_topics(self, partitions: int) -> None:
        # A broker answers once it has joined; until then requests wait.
        for broker in self.brokers:
            await clients.cluster_id(KafkaSettings(brokers=broker.address))
        await clients.create_topics(
            KafkaSettings(brokers=self.servers), topics.ALL, partitions, len(self.brokers)
        )

    def kill(self) -> None:
        """End every broker; nobody needs what is stored."""
        for broker in self.brokers:
            broker.kill()


@contextmanager
def kafka_cluster(brokers: int = 1, partitions: int = PARTITIONS) -> Iterator[Cluster]:
    """Run an empty cluster with pairstream's topics, each with a replica on every broker."""
    with tempfile.TemporaryDirectory(prefix="pairstream-kafka-") as directory:
        cluster = Cluster(Path(directory), brokers)
        try:
            cluster.start(partitions=partitions)
            yield cluster
        finally:
            cluster.kill()
