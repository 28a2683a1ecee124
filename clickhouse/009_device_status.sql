-- What agents say of their devices and of themselves.
CREATE TABLE IF NOT EXISTS brain.device_status
(
    tenant_id LowCardinality(String),
    device_id String,
    boot_id String,
    sequence Int64,
    sensor_timestamp_ms DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    revision Int64,
    last_append_ms DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    state LowCardinality(String),
    source LowCardinality(String),
    detail String,
    software_version LowCardinality(String),
    read_count Int64,
    spooled_count Int64,
    sent_count Int64,
    rejected_count Int64,
    last_acknowledged_sequence Int64,
    spool_depth_count Int64,
    spool_depth_bytes Int64,
    lost_count Int64,
    dropped_count Int64,
    clock_synchronised Bool,
    monotonic_ms Int64,
    silent_sensors Array(LowCardinality(String)),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX kafka_offset_range kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(sensor_timestamp_ms)
ORDER BY (tenant_id, device_id, boot_id, sequence)
TTL toDateTime(last_append_ms) + INTERVAL 90 DAY;
