"""The settings of the job suite: defaults < YAML file (FLINK_CONFIG_YAML) < environment < flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from jobs.runtime.clickhouse.settings import ClickHouseSettings
from schemas.environment import EnvironmentSettings
from schemas.per_device import PerDevice
from schemas.power import Supply
from schemas.settings import ProgramSettings
from schemas.topics import Topic, dead_letters_of


class JobSettings(ProgramSettings):
    """Everything that can be set about the jobs.

    Attributes:
        kafka_bootstrap_servers: the brokers.
        kafka_properties: passed to every Kafka client of Flink (security.protocol, sasl.jaas.config, ...).
        flink_rest_url: where `brain-jobs` asks for jobs.
        parallelism: of each job.
        session_idle_ms: a key that is silent for so long by arrival has its session closed.
        window_idle_ms: the features of a window are written when its device was silent for so long by arrival; choose
            more than the slowest sensor's cadence, else a window is described in parts.
        frame_batch_rows: frames that a vectorised function takes at a time. 1,000 suits waveforms of some kB, whose
            batches should stay in the processor's cache; single readings go faster by 10,000.
        store_batch_rows: records of an INSERT into ClickHouse. 10,000 suits waveforms; readings go faster by 25,000.
        bundle_ms: longest wait of a record for a Python batch to fill.
        checkpoint_dir: each job has its own folder below it. The cluster's own setting when empty.
        resume: go on from the job's newest checkpoint, if it has one; else from the beginning of its topics.
        resume_from: go on from this checkpoint or savepoint.
        sink_guarantee: of Kafka sinks: at-least-once (rows have deterministic keys) or exactly-once.
        scorer_model: which model scores gait sessions.
        window_models: which models score windows; all that are installed if not given.
        model_version: `latest`, or the version that the model's card must carry.
        alert_threshold: a session's score at or above it is an alert; for windows the threshold of the model's card is.
        requests_topic, results_topic, alerts_topic: of the inference job.
        supply: what the power features are judged against: declared voltage and frequency, limits.
        environment: what the environment features need to know of the place and its sensors.
        supplies, places: the same for single devices, by pattern of `tenant/device`, such as `"lab/kitchen-*"`; the
            first that matches counts, and what it leaves open has the default.
        scan_store: folder or URL of the meshes that are too large for a frame, as fsspec takes it; empty without.
        flink_options: any Flink option, for all jobs.
    """

    prefix: ClassVar[str] = "BRAIN_JOBS_"
    yaml_variable: ClassVar[str] = "FLINK_CONFIG_YAML"
    shared_variables: ClassVar[Mapping[str, str]] = {
        "INFERENCE_KAFKA_BOOTSTRAP_SERVERS": "kafka_bootstrap_servers",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka_bootstrap_servers",
        "FLINK_REST_URL": "flink_rest_url",
        "FLINK_CHECKPOINT_DIR": "checkpoint_dir",
        "MODEL_VERSION": "model_version",
        "INFERENCE_ALERT_THRESHOLD": "alert_threshold",
        "INFERENCE_REQUESTS_TOPIC": "requests_topic",
        "INFERENCE_RESULTS_TOPIC": "results_topic",
        "INFERENCE_ALERTS_TOPIC": "alerts_topic",
        "CLICKHOUSE_HOST": "clickhouse.host",
        "CLICKHOUSE_PORT": "clickhouse.port",
        "CLICKHOUSE_USER": "clickhouse.user",
        "CLICKHOUSE_PASSWORD": "clickhouse.password",
        "CLICKHOUSE_DATABASE": "clickhouse.database",
    }

    kafka_bootstrap_servers: str = Field("localhost:9092", min_length=1)
    # Passwords may stand in both mappings: not shown with the object.
    kafka_properties: dict[str, str] = Field(default_factory=dict, repr=False)
    flink_options: dict[str, str] = Field(default_factory=dict, repr=False)
    flink_rest_url: str = "http://localhost:8081"
    parallelism: int = Field(1, ge=1, le=1024)
    session_idle_ms: int = Field(5_000, ge=100, le=3_600_000)
    window_idle_ms: int = Field(90_000, ge=100, le=3_600_000)
    frame_batch_rows: int = Field(1_000, ge=1, le=100_000)
    store_batch_rows: int = Field(10_000, ge=1, le=100_000)
    bundle_ms: int = Field(100, ge=1, le=60_000)
    checkpoint_dir: str = ""
    resume: bool = False
    resume_from: str = ""
    sink_guarantee: str = Field("at-least-once", pattern="^(at-least-once|exactly-once)$")
    scorer_model: str = Field("gait_parkinson_v1", pattern="^[a-z0-9_]+$")
    window_models: tuple[str, ...] | None = None
    model_version: str = Field("latest", min_length=1)
    alert_threshold: float = Field(0.7, ge=0, le=1)
    requests_topic: str = Topic.INFERENCE_REQUESTS.value
    results_topic: str = Topic.INFERENCE_RESULTS.value
    alerts_topic: str = Topic.INFERENCE_ALERTS.value
    scan_store: str = ""
    supply: Supply = Field(default_factory=Supply)
    environment: EnvironmentSettings = Field(default_factory=EnvironmentSettings)
    supplies: dict[str, Supply] = Field(default_factory=dict)
    places: dict[str, EnvironmentSettings] = Field(default_factory=dict)
    clickhouse: ClickHouseSettings = Field(default_factory=ClickHouseSettings)

    def device_supplies(self) -> PerDevice[Supply]:
        """What the power features of each device are judged against."""
        return PerDevice(self.supply, self.supplies)

    def device_places(self) -> PerDevice[EnvironmentSettings]:
        """What the environment features of each device need to know."""
        return PerDevice(self.environment, self.places)

    def topic(self, topic: Topic) -> str:
        """The name under which a topic is used: the inference topics may be renamed."""
        renamed = {
            Topic.INFERENCE_REQUESTS: self.requests_topic,
            Topic.INFERENCE_RESULTS: self.results_topic,
            Topic.INFERENCE_ALERTS: self.alerts_topic,
        }
        return renamed.get(topic, topic.value)

    def dead_letters(self, topic: Topic) -> str:
        """The name of a topic's dead-letter topic."""
        return dead_letters_of(self.topic(topic))
