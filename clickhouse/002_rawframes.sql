-- One row per event: count() = uniqExact(event_id), without FINAL.
-- The projections live inside the parts, so they are right whatever an insert, a kill or a replay does.
CREATE TABLE IF NOT EXISTS brain.rawframes
(
    tenant_id LowCardinality(String),
    device_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    sensor_type LowCardinality(String),
    sensor_timestamp_ms DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    event_id FixedString(16) CODEC(NONE),
    schema_version UInt16,
    event_type LowCardinality(String),
    ingest_timestamp_ms DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    append_timestamp_ms DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    session_start_ms DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    site_id LowCardinality(String),
    boot_id LowCardinality(String),
    sequence UInt64 CODEC(DoubleDelta, ZSTD(1)),
    resent Bool,
    payload_type LowCardinality(String),
    unit LowCardinality(String),
    sample_rate_hz Float64 CODEC(Gorilla, ZSTD(1)),
    channels LowCardinality(String),
    channel_names Array(String) ALIAS splitByChar(',', channels),
    sample_count UInt32 CODEC(Delta, ZSTD(1)),
    payload String CODEC(ZSTD(1)),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32 CODEC(Delta, ZSTD(1)),
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX kafka_offset_range kafka_offset TYPE minmax GRANULARITY 1,
    INDEX resent_range resent TYPE minmax GRANULARITY 1,
    PROJECTION highest_offset
    (
        SELECT kafka_topic_id, kafka_partition, max(kafka_offset) GROUP BY kafka_topic_id, kafka_partition
    ),
    PROJECTION seen_device
    (
        SELECT
            tenant_id,
            device_id,
            min(sensor_timestamp_ms),
            max(sensor_timestamp_ms),
            min(append_timestamp_ms),
            max(append_timestamp_ms),
            count()
        GROUP BY tenant_id, device_id
    ),
    CONSTRAINT identified CHECK notEmpty(tenant_id) AND notEmpty(device_id) AND notEmpty(session_id),
    CONSTRAINT positioned CHECK notEmpty(kafka_topic_id) AND kafka_partition >= 0 AND kafka_offset >= 0
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(sensor_timestamp_ms)
ORDER BY (tenant_id, device_id, session_id, sensor_type, sensor_timestamp_ms)
TTL toDateTime(append_timestamp_ms) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 1000, lightweight_mutation_projection_mode = 'rebuild';

-- What the stored frames say of each device; read from the projection, so never behind and never ahead of them.
CREATE VIEW IF NOT EXISTS brain.devices AS
SELECT
    tenant_id,
    device_id,
    min(sensor_timestamp_ms) AS first_sensor_timestamp_ms,
    max(sensor_timestamp_ms) AS last_sensor_timestamp_ms,
    min(append_timestamp_ms) AS first_append_timestamp_ms,
    max(append_timestamp_ms) AS last_append_timestamp_ms,
    count() AS frames
FROM brain.rawframes
GROUP BY tenant_id, device_id;
