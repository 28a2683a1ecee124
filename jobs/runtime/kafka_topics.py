"""What must be known of Kafka's topics before a job is submitted."""

from __future__ import annotations

from collections.abc import Collection

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from jobs.runtime.settings import JobSettings
from schemas.errors import RecoverableError
from schemas.topics import Topic

_TIMEOUT_S = 30


def resolve_topic_ids(settings: JobSettings, topics: Collection[str]) -> dict[str, str]:
    """Topic name -> the id that Kafka gave it when it was made.

    A topic that is deleted and made again begins at offset 0 again, but under another id: stored rows are found
    by id, so that new records are not taken for old ones.

    The connector's own client asks, so that the settings which let Flink in (`kafka_properties`) let this in too.

    Args:
        settings: where the brokers are, and how to reach them.
        topics: names; all must exist.

    Raises:
        RecoverableError: naming the topics that Kafka does not describe, and why.
    """
    java = get_gateway().jvm
    properties = java.java.util.Properties()
    for name, value in {**settings.kafka_properties, "bootstrap.servers": settings.kafka_bootstrap_servers}.items():
        properties.setProperty(name, value)
    names = java.java.util.ArrayList()
    for topic in sorted(topics):
        names.add(topic)
    client = java.org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClient.create(properties)
    ids: dict[str, str] = {}
    problems: list[str] = []
    try:
        answers = client.describeTopics(names).topicNameValues()
        for topic in sorted(topics):
            try:
                answer = answers.get(topic).get(_TIMEOUT_S, java.java.util.concurrent.TimeUnit.SECONDS)
                ids[topic] = answer.topicId().toString()
            except Py4JJavaError as error:
                problems.append(f"{topic}: {error.java_exception.toString()}")
    finally:
        client.close()
    if problems:
        raise RecoverableError("Kafka does not describe " + "; ".join(problems))
    return ids


def topic_id(settings: JobSettings, topic: Topic) -> str:
    """The id of one of the line's topics; errors as `resolve_topic_ids`."""
    name = settings.topic(topic)
    return resolve_topic_ids(settings, [name])[name]
