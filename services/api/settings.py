"""Settings of the API."""

from services.common.settings import DatabaseSettings, KafkaSettings, PairSettings, Port


class ApiSettings(KafkaSettings, DatabaseSettings, PairSettings):
    """Where to listen: loopback unless told otherwise; port 0 takes a free one and logs it."""

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
