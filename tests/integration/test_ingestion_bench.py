"""The bench of the HTTP way in sends what it says, and everything it counts is in the topic."""

from __future__ import annotations

import pytest

from bench.ingestion import WARM_UP_S, measure
from bench.ingestion_load import Load
from schemas.envelope import unseal
from schemas.topics import APPEND_TIME, TopicSpec
from stack.endpoints import StackEndpoints
from stack.topics import ensure_topics
from tests.ingestion_process import read_topic

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("json", [False, True], ids=["protobuf", "json"])
def test_every_reading_that_is_counted_is_in_the_topic(stack: StackEndpoints, json: bool) -> None:
    topic = f"ingest-bench-{json}"
    ensure_topics(stack.kafka_bootstrap, [TopicSpec(topic, 2, dict(APPEND_TIME))])
    load = Load(requests_per_s=10, readings=50, duration_s=2, json=json)
    result = measure(stack.kafka_bootstrap, topic, load, slow_connections=5)
    assert result.requests == 20
    assert 0 < result.p50_ms <= result.p99_ms <= result.max_ms
    ids = {unseal(message.value() or b"").event_id for message in read_topic(stack.kafka_bootstrap, topic)}
    assert len(ids) == 50 * (20 + round(WARM_UP_S * 10))
