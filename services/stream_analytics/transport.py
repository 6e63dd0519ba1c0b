"""Faust's Kafka transport, with what its settings do not reach."""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from services.common import kafka
from services.stream_analytics.settings import StreamSettings


def install(app: faust.App, settings: StreamSettings) -> None:
    """Make `app` wait `fetch_max_wait_ms` for a fetch (Faust hard-codes 1500 ms) and lose nothing at start."""

    class ConsumerThread(driver.AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            consumer._fetch_max_wait_ms = settings.fetch_max_wait_ms
            return consumer

    class Consumer(driver.Consumer):
        def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
            return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

        async def perform_seek(self) -> None:
            """Seek to the committed offsets while nothing flows; the caller lets it flow again.

            After a recovery Faust resumes the partitions first and seeks then, and what it delivers between
            the two is lost when the streams start (seen: some of the first messages after a restart).
            """
            self.stop_flow()
            await super().perform_seek()

    class Transport(driver.Transport):
        pass

    Transport.Consumer = Consumer
    app.transport = Transport(app.conf.broker_consumer, app)


def credentials(settings: StreamSettings) -> Any:
    """Return Faust's credentials for the security of `settings`, or None for plain text."""
    arguments = kafka.connection(settings)
    if settings.kafka_security.startswith("SASL"):
        return faust.SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            mechanism=arguments["sasl_mechanism"],
            ssl_context=arguments.get("ssl_context"),
        )
    if settings.kafka_security == "SSL":
        return faust.SSLCredentials(arguments["ssl_context"])
    return None
