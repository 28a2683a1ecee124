"""The local stack: real Kafka, Flink and ClickHouse on this machine, started, watched and stopped."""
