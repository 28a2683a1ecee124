"""Peer (e): consume, decode, gather in a dict, describe at the topic's end. One process, no fault tolerance.

Usage: plain_loop.py BOOTSTRAP SOURCE RESULTS
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from bench.peers.session_work import Frame, cut_at_gaps, decode, describe_session

BATCH = 10_000
TIMEOUT_S = 30.0


def read(bootstrap: str, topic: str) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values from the beginning of a topic to the end it has now."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "plain-loop", "enable.auto.commit": False})
    partitions = [TopicPartition(topic, number) for number in consumer.list_topics(topic).topics[topic].partitions]
    ends = {part.partition: consumer.get_watermark_offsets(part, timeout=TIMEOUT_S)[1] for part in partitions}
    consumer.assign([TopicPartition(topic, part.partition, OFFSET_BEGINNING) for part in partitions])
    unread = {number for number, end in ends.items() if end > 0}
    while unread:
        for message in consumer.consume(BATCH, timeout=0.1):
            if message.error():
                raise KafkaException(message.error())
            if (message.offset() or 0) + 1 >= ends[message.partition() or 0]:
                unread.discard(message.partition() or 0)
            yield message.key() or b"", message.value() or b""
    consumer.close()


def main(bootstrap: str, source: str, results: str) -> None:
    """Reads the source to its end and writes a row for every session."""
    sessions: dict[bytes, list[Frame]] = defaultdict(list)
    for key, value in read(bootstrap, source):
        frame = decode(value)
        if frame is not None:
            sessions[key].append(frame)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20})
    for key, frames in sessions.items():
        for session in cut_at_gaps(frames):
            producer.produce(results, key=key, value=describe_session(key.decode(), session))
            producer.poll(0)
    producer.flush(TIMEOUT_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
