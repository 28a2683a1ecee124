-- Records that no job could use, with their original bytes. One row for each record and stage, however often
-- the job that refused it runs over it again; the hash keeps records of a recreated source topic apart.
CREATE TABLE IF NOT EXISTS brain.dead_letters
(
    stage LowCardinality(String),
    reason LowCardinality(String),
    detail String CODEC(ZSTD(1)),
    source_topic LowCardinality(String),
    source_partition Int32,
    source_offset Int64,
    key Nullable(String),
    value String CODEC(ZSTD(1)),
    value_hash UInt64 MATERIALIZED sipHash64(value),
    attempt UInt32,
    seen_ms DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX kafka_offset_range kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(attempt)
PARTITION BY toYYYYMM(seen_ms)
ORDER BY (source_topic, source_partition, source_offset, stage, value_hash)
TTL toDateTime(seen_ms) + INTERVAL 90 DAY;
