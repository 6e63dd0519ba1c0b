"""Topics on the programs page are those of the broker."""

import pytest

from services.common import codec
from services.contracts import topics
from services.ui.pages.programs.topics import INTERNAL, LATEST, TOPICS, TopicExample

OURS = {topic.name: topic for topic in topics.ALL}
HOUR_MS = 3_600_000


def kept(topic: topics.Topic) -> str:
    if topic.cleanup == "compact":
        return LATEST
    hours = topic.retention_ms // HOUR_MS
    deleted = f"{hours // 24} d" if hours > 24 else f"{hours} h"
    return f"{LATEST}, {deleted}" if "compact" in topic.cleanup else deleted


def test_every_topic_is_named() -> None:
    assert sorted((*(topic.name for topic in TOPICS), *INTERNAL)) == sorted(OURS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_key_and_retention_are_those_of_the_broker(topic: TopicExample) -> None:
    ours = OURS[topic.name]
    assert (topic.key, topic.kept) == (ours.key, kept(ours))


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.message], ids=lambda topic: topic.name)
def test_an_example_is_a_message_of_its_topic(topic: TopicExample) -> None:
    assert topic.message is not None
    kind = type(topic.message)
    assert codec.decode(topic.example().encode(), kind) == topic.message
    assert f"``{topic.name}``" in (kind.__doc__ or "")
