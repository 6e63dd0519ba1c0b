"""AsyncAPI 3.0 document of the topics and of the API's stream."""

import inspect
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.api.models.stream import Ack, Pong, Snapshot, StreamError, Update
from services.api.routes.stream import COMMANDS, ERRORS
from services.api.security.event_stream_timeout import SLOW_S
from services.api.server import MAX_INCOMING_BYTES
from services.api.stream.subscription import Command, StreamQuery
from services.common.heartbeat import VERSION
from services.contracts import topics
from services.contracts.messages import MESSAGES
from services.contracts.topic_messages import INTERNAL, MESSAGE_OF
from services.contracts.topics import Topic

JSON_SCHEMA = "application/schema+json;version=draft-2020-12"
SAID: tuple[type[BaseModel], ...] = (Snapshot, Update, Ack, Pong, StreamError)
MODELS: tuple[type[BaseModel], ...] = (*SAID, Command)
DESCRIPTION = f"""
Messages on the topics are JSON. Times are microseconds since 1970, UTC. Readers ignore unknown fields; writers only
ever add optional ones. Delivery is at least once, and every message has an identity, so that a repetition does no harm.

`WS /v1/stream` pushes the news of the topics, at each client's own pace. The first message is a `snapshot`. If the
client sends the `last_event_id` of an earlier message, and the server still knows it, the first message is an `update`
with `resumed` true and every closed signal and alert since. Then come `update` messages: at once after a silence, else
one per `interval_ms`, with the latest tick of each symbol, the latest signal of each pair between its closes, every
closed signal, every alert, every event of a radar, and once a second the status. While the broker or the database is
away, `degraded` has the reason for every client; when the server is back, `degraded` is empty, and the missed messages
follow.

The server closes a client with 1013 (try again later) if the client does not read a message within {SLOW_S:g} s, or
is so slow that closed signals or alerts which it has not received are no longer kept. Commands: at most
{COMMANDS.requests} at once and {1 / COMMANDS.every_s:g} a second, of at most {MAX_INCOMING_BYTES // 1024} KiB (else
1009). A wrong command gets an `error` and changes nothing; more than {ERRORS.requests} errors at once, or for long one
in {ERRORS.every_s:g} s, end the stream with 1008, as does a wrong address. The server
sends a WebSocket ping every 20 s and closes with 1011 if no pong has come after another 20 s. A server that stops
closes with 1012.

`GET /v1/events` pushes the same as server-sent events (see openapi.json).
"""


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Write texts of several lines as such, and nothing as a reference to something before."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml() -> str:
    """Return the document as YAML."""
    text: str = yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def document() -> dict[str, Any]:
    """Return the document; the topics' messages refer to the JSON Schemas beside it."""
    kinds = {topic.name: topic for topic in topics.ALL if topic not in INTERNAL}
    models: tuple[type[BaseModel], ...] = (*MODELS, StreamQuery)
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas = definitions["$defs"]
    query = schemas.pop(StreamQuery.__name__)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "pairstream",
            "version": VERSION,
            "description": DESCRIPTION.strip(),
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "PAIRSTREAM_BROKERS"},
            "api": {"host": "127.0.0.1:8000", "protocol": "ws", "description": "PAIRSTREAM_API_URL"},
        },
        "channels": {name: _topic_channel(topic) for name, topic in kinds.items()}
        | {"stream": _stream_channel(query)},
        "operations": {f"publish-{name}": _operation("send", name) for name in kinds}
        | {
            "configure-pairs": _operation("receive", topics.PAIRS.name),
            "choose-symbols": _operation("receive", topics.SYMBOLS.name),
            "push": _operation("send", "stream", [model.__name__ for model in SAID]),
            "command": _operation("receive", "stream", [Command.__name__]),
        },
        "components": {
            "messages": {name: _topic_message(name) for name in MESSAGE_OF.values()}
            | {
                model.__name__: {
                    "summary": _summary(model),
                    "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
                }
                for model in MODELS
            },
            "schemas": schemas,
        },
    }


def _topic_channel(topic: Topic) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": topic.cleanup.split(",")}
    if "delete" in topic.cleanup:
        configuration["retention.ms"] = topic.retention_ms
    name = MESSAGE_OF[topic]
    return {
        "address": topic.name,
        "description": f"Message key: {topic.key}.",
        "servers": [{"$ref": "#/servers/broker"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {"topic": topic.name, "topicConfiguration": configuration, "bindingVersion": "0.5.0"}
        },
    }


def _stream_channel(query: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": "/v1/stream",
        "description": "A list in the query is repeated or has commas between its names.",
        "servers": [{"$ref": "#/servers/api"}],
        "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in MODELS},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _topic_message(name: str) -> dict[str, Any]:
    if name == "dead-letter":
        told = {
            "reason": "Why.",
            "source": "The topic or feed.",
            "origin": "The place there.",
            "service": "Who.",
        }
        headers = {name: {"type": "string", "description": text} for name, text in told.items()}
        return {
            "summary": "Bytes that could not be processed, as they were.",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "properties": headers, "required": list(headers)},
        }
    return {
        "summary": _summary(MESSAGES[name]),
        "payload": {"schemaFormat": JSON_SCHEMA, "schema": {"$ref": f"./{name}.v1.json"}},
    }


def _operation(action: str, channel: str, messages: list[str] | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
    if messages:
        operation["messages"] = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages]
    return operation


def _summary(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
