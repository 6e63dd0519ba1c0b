"""Stand-in of the entry point of redpandadata/redpanda: Apache Kafka told what the flags of ``redpanda start`` tell.

The registry of schemas is that of the tests.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

DATA = Path("/var/lib/redpanda/data")
JAVA = [
    "java",
    "-Xmx400m",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    "/opt/kafka/*",
]


def main() -> None:
    """Write Kafka's configuration, format its storage once, and become Kafka."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", choices=["redpanda"])
    parser.add_argument("verb", choices=["start"])
    parser.add_argument("--overprovisioned", action="store_true")
    for flag in ("node-id", "smp", "memory", "reserve-memory", "check", "seeds", "rpc-addr"):
        parser.add_argument(f"--{flag}")
    for flag in ("advertise-rpc-addr", "kafka-addr", "advertise-kafka-addr", "schema-registry-addr"):
        parser.add_argument(f"--{flag}", required=True)
    flags = parser.parse_args()
    properties = Path("/tmp/server.properties")  # noqa: S108
    node = int(flags.node_id) + 1
    properties.write_text(
        f"process.roles=broker,controller\nnode.id={node}\n"
        f"controller.quorum.voters={node}@127.0.0.1:33145\ncontroller.listener.names=CONTROLLER\n"
        f"listeners=PLAINTEXT://{flags.kafka_addr},CONTROLLER://127.0.0.1:33145\n"
        f"advertised.listeners=PLAINTEXT://{flags.advertise_kafka_addr}\n"
        f"log.dirs={DATA}/kafka\nauto.create.topics.enable=false\noffsets.topic.replication.factor=1\n"
        "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
        "group.initial.rebalance.delay.ms=0\nlog.segment.bytes=16777216\nlog.index.size.max.bytes=262144\n"
    )
    if not (DATA / "kafka/meta.properties").exists():
        options = ["--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config", str(properties)]
        subprocess.run([*JAVA, "kafka.tools.StorageTool", "format", *options], check=True)
    port = flags.schema_registry_addr.rpartition(":")[2]
    subprocess.Popen([sys.executable, Path(__file__).with_name("fake_registry.py"), port])
    os.execvp("java", [*JAVA, "kafka.Kafka", str(properties)])  # noqa: S606


if __name__ == "__main__":
    main()
