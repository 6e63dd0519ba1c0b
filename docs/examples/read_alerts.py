"""Alerts from the topic, without a target: ``python read_alerts.py 127.0.0.1:9092``."""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer


async def main(brokers: str) -> None:
    """Print each alert once, from the oldest that the broker keeps on."""
    seen: set[str] = set()
    consumer = AIOKafkaConsumer("alerts", bootstrap_servers=brokers, auto_offset_reset="earliest")
    async with consumer:
        async for record in consumer:
            alert = json.loads(record.value)
            if alert["alert_id"] not in seen:
                seen.add(alert["alert_id"])
                print(alert["state"], alert["subject"], alert["message"], flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
