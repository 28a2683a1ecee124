"""The jobs, in the order of the line."""

from __future__ import annotations

JOBS = (
    "sessionizer",
    "frame_filter",
    "device_status",
    "feature_base",
    "feature_health",
    "feature_power",
    "feature_env",
    "inference_trigger",
    "inference",
    "clickhouse_ingest",
)
"""Each is the module `jobs.<name>` and the name under which Flink shows the job."""
