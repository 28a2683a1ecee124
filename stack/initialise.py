"""What a started stack needs before data can flow: topics and tables."""

from __future__ import annotations

from collections.abc import Mapping

from clickhouse_driver import Client

from schemas.topics import topic_specs
from stack import migrations, topics
from stack.endpoints import StackEndpoints
from stack.migrations import MigrationReport
from stack.topics import TopicReport


def create_topics(endpoints: StackEndpoints, *, partitions: int) -> TopicReport:
    """Create all topics of the line; see `topics.ensure_topics`."""
    return topics.ensure_topics(endpoints.kafka_bootstrap, topic_specs(partitions))


def migrate(endpoints: StackEndpoints, environment: Mapping[str, str]) -> MigrationReport:
    """Apply the SQL files that were not applied yet; see `migrations.apply`."""
    found = migrations.load(environment)
    client = clickhouse_client(endpoints)
    try:
        return migrations.apply(client, found)
    finally:
        client.disconnect()


def clickhouse_client(endpoints: StackEndpoints) -> Client:
    """A connection over the native protocol."""
    return Client(
        endpoints.clickhouse_host,
        port=endpoints.clickhouse_tcp_port,
        user=endpoints.clickhouse_user,
        password=endpoints.clickhouse_password,
    )
