"""Storing in ClickHouse, each Kafka record once; see docs/storage.md. Only `sink_function` knows Flink."""
