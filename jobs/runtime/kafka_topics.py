"""What must be known of Kafka's topics before a job is submitted."""

from __future__ import annotations

from collections.abc import Collection

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from jobs.runtime.settings import JobSettings
from schemas.errors import RecoverableError
from schemas.topics import Topic

_TIMEOUT_S = 30.0


def resolve_topic_ids(
    bootstrap_servers: str, topics: Collection[str], *, properties: dict[str, str] | None = None
) -> dict[str, str]:
    """Topic name -> the id that Kafka gave it when it was made.

    A topic that is deleted and made again begins at offset 0 again, but under another id: stored rows are found
    by id, so that new records are not taken for old ones.

    Args:
        bootstrap_servers: the brokers.
        topics: names; all must exist.
        properties: further client properties (security).

    Raises:
        RecoverableError: naming the topics that Kafka does not describe, and why.
    """
    # Without these librdkafka writes a line to stderr every 50 ms while the brokers are away.
    quiet = {"log_level": 0, "reconnect.backoff.ms": 500}
    client = AdminClient({"bootstrap.servers": bootstrap_servers, **quiet, **(properties or {})})
    answers = client.describe_topics(TopicCollection(sorted(topics)), request_timeout=_TIMEOUT_S)
    ids: dict[str, str] = {}
    problems: list[str] = []
    for name, answer in answers.items():
        try:
            ids[name] = str(answer.result().topic_id)
        except KafkaException as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise RecoverableError("Kafka does not describe " + "; ".join(problems))
    return ids


def topic_id(settings: JobSettings, topic: Topic) -> str:
    """The id of one of the line's topics; errors as `resolve_topic_ids`."""
    name = settings.topic(topic)
    return resolve_topic_ids(settings.kafka_bootstrap_servers, [name])[name]
