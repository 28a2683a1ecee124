"""Peer (f): the DataStream API of PyFlink, one Python call a record: decode, key_by, KeyedProcessFunction with timers.

Usage: flink run -d -py keyed_process.py BOOTSTRAP SOURCE RESULTS PARALLELISM
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pyflink.common import ByteArraySchema, Row, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor

from bench.peers.session_work import Frame, cut_at_gaps, decode, describe_session
from schemas.proto.envelope_pb2 import EventEnvelope

IDLE_MS = 5_000
_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
_FRAME = Types.ROW([Types.STRING(), Types.LONG(), Types.DOUBLE(), Types.INT(), _BYTES])


def to_row(value: bytes) -> Iterator[Row]:
    """Key and frame of an envelope, nothing for a heartbeat: KafkaSource gives only the value."""
    frame = decode(value)
    if frame is not None:
        envelope = EventEnvelope.FromString(value)
        key = f"{envelope.tenant_id}/{envelope.device_id}/{envelope.session_id}/{envelope.sensor_type}"
        yield Row(key, *frame)


def key_of(row: Row) -> str:
    """What sessions are made by."""
    return str(row[0])


class Sessions(KeyedProcessFunction):  # type: ignore[misc]
    """Keeps a key's frames until its arrival has been idle, then describes its sessions."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Registers state."""
        self._frames = runtime_context.get_list_state(ListStateDescriptor("frames", _FRAME))
        self._last_ms = runtime_context.get_state(ValueStateDescriptor("last_ms", Types.LONG()))

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> None:
        """Keeps the frame; one timer at a time is enough, it is set again when it rings too early."""
        if self._last_ms.value() is None:
            ctx.timer_service().register_event_time_timer(ctx.timestamp() + IDLE_MS)
        self._frames.add(value)
        self._last_ms.update(ctx.timestamp())

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[bytes]:
        """Rings when the key has been idle, or has not."""
        closes_ms = self._last_ms.value() + IDLE_MS
        if timestamp < closes_ms:
            ctx.timer_service().register_event_time_timer(closes_ms)
            return
        frames = [Frame(*row[1:]) for row in self._frames.get()]
        self._frames.clear()
        self._last_ms.clear()
        for session in cut_at_gaps(frames):
            yield describe_session(ctx.get_current_key(), session)


def main(bootstrap: str, source: str, results: str, parallelism: str) -> None:
    """Wires and submits the job. Event time is Kafka's append time, which PyFlink takes from the record itself."""
    environment = StreamExecutionEnvironment.get_execution_environment()
    environment.set_parallelism(int(parallelism))
    records = (
        KafkaSource.builder()
        .set_bootstrap_servers(bootstrap)
        .set_topics(source)
        .set_group_id("keyed-process")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(ByteArraySchema())
        .build()
    )
    serializer = (
        KafkaRecordSerializationSchema.builder().set_topic(results).set_value_serialization_schema(ByteArraySchema())
    )
    sink = KafkaSink.builder().set_bootstrap_servers(bootstrap).set_record_serializer(serializer.build()).build()
    (
        environment.from_source(records, WatermarkStrategy.for_monotonous_timestamps(), "rawframes")
        .flat_map(to_row, output_type=_FRAME)
        .key_by(key_of, key_type=Types.STRING())
        .process(Sessions(), output_type=_BYTES)
        .sink_to(sink)
    )
    environment.execute_async("keyed_process")


if __name__ == "__main__":
    main(*sys.argv[1:5])
