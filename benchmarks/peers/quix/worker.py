"""Peer of stream_analytics on Quix Streams, to compare with; its requirements are its own.

It reads the topic ``ticks``, brings both legs of each pair onto closed one-second samples, judges each sample by the
window before it (pairs.py), and writes the closed signals to the topic ``signals``. The mathematics is services/quant,
so only the framework differs; settings and JSON (orjson) are Quix's own. State is in memory and nothing is saved.

The legs of a pair come from different partitions. Without `BENCH_GROUPED` they meet in the memory of this one process,
which has them all: the most Quix can do, and no second worker could join. With it each tick goes through a second
topic, by pair, as ``group_by`` does it, and workers can share the pairs.
"""

import os

from quixstreams import Application

from benchmarks.peers.quix.pairs import Grouped, Pairs


def main() -> None:
    """Work until killed."""
    app = Application(
        broker_address=os.environ["PAIRSTREAM_BROKERS"],
        consumer_group="quix",
        auto_offset_reset="earliest",
        use_changelog_topics=False,
        loglevel="WARNING",
    )
    ticks = app.topic("ticks", key_deserializer="str", value_deserializer="json")
    signals = app.topic("signals", key_serializer="str", value_serializer="json")
    names, trades = os.environ["PAIRSTREAM_PAIRS"].split(","), app.dataframe(ticks)
    if os.environ.get("BENCH_GROUPED"):
        grouped = Grouped(names)
        closed = trades.apply(grouped.route, expand=True).group_by("pair").apply(grouped.take, expand=True)
    else:
        closed = trades.apply(Pairs(names).take, expand=True)
    closed.to_topic(signals, key=lambda row: row["pair"])
    app.run()


if __name__ == "__main__":
    main()
