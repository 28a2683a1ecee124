"""Peer (f): the DataStream API of PyFlink, one Python call a record: decode, key_by, KeyedProcessFunction with timers.

Usage: flink run -d -pyfs PEERS.zip -py keyed_process.py BOOTSTRAP SOURCE RESULTS PARALLELISM
"""

from __future__ import annotations

import sys

from pyflink.common import ByteArraySchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

from bench.peers.per_record import BYTES_TYPE, FRAME_TYPE, Sessions, key_of, to_row


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
        .flat_map(to_row, output_type=FRAME_TYPE)
        .key_by(key_of, key_type=Types.STRING())
        .process(Sessions(), output_type=BYTES_TYPE)
        .sink_to(sink)
    )
    environment.execute_async("keyed_process")


if __name__ == "__main__":
    main(*sys.argv[1:5])
