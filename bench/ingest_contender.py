"""Kafka -> ClickHouse: our clickhouse_ingest job on the frames that the frame filter has copied."""

from __future__ import annotations

from collections.abc import Mapping

from clickhouse_driver import Client

from bench.cluster import PARTITIONS, Cluster
from bench.errors import BenchError
from bench.fill import Truth
from bench.flink_contenders import PARALLELISM, READINGS_BATCH, FlinkContender, FrameFilter
from bench.tally import CountedRows, Watch
from bench.topics import OUTPUTS, empty_topics, end_offsets
from schemas.topics import Topic
from stack.home import REPOSITORY
from stack.initialise import clickhouse_client

TABLE = "brain.rawframes"
_COPY_TIMEOUT_S = 900.0
_INSERT_ROWS = 25_000


class StoredRows(CountedRows):
    """The watch over a table."""

    def __init__(self, client: Client, expected: int) -> None:
        super().__init__(expected)
        self._client = client

    def rows_now(self) -> int:
        """See CountedRows."""
        return self._ask("count()")

    def problem(self) -> str | None:
        """Every record must be there exactly once."""
        rows, events = self._ask("count()"), self._ask("uniqExact(event_id)")
        if (rows, events) != (self.expected, self.expected):
            return f"{rows:,} rows of {events:,} events in {TABLE}, not {self.expected:,}"
        return None

    def _ask(self, aggregate: str) -> int:
        return int(self._client.execute(f"SELECT {aggregate} FROM {TABLE}")[0][0])  # noqa: S608  # our own words

    def close(self) -> None:
        """See Watch."""
        self._client.disconnect()


class Ingest(FlinkContender):
    """The clickhouse_ingest job exactly as shipped, over all topics of the line; rows are counted in `rawframes`."""

    letter = "c"
    name = "ClickHouse ingest"
    job_name = "clickhouse_ingest"
    script = REPOSITORY / "jobs" / "clickhouse_ingest.py"

    def __init__(self) -> None:
        super().__init__()
        self._environment: dict[str, str] = {}

    def outputs(self) -> tuple[str, ...]:
        """None: what the frame filter has written is its input."""
        return ()

    def job_environment(self) -> Mapping[str, str]:
        """See FlinkContender."""
        return self._environment

    def prepare(self, cluster: Cluster, truth: Truth) -> None:
        """Sees to it that the copies of this very topic content are there, and an empty table."""
        if _copied(cluster) < truth.frames:
            _copy_frames(cluster, truth)
        client = clickhouse_client(cluster.endpoints)
        client.execute(f"TRUNCATE TABLE {TABLE}")
        client.disconnect()
        self._environment = {
            "BRAIN_JOBS_PARALLELISM": str(PARALLELISM),
            "BRAIN_JOBS_STORE_BATCH_ROWS": str(_INSERT_ROWS),
            "BRAIN_JOBS_CLICKHOUSE__HOST": cluster.endpoints.clickhouse_host,
            "BRAIN_JOBS_CLICKHOUSE__PORT": str(cluster.endpoints.clickhouse_tcp_port),
        }
        super().prepare(cluster, truth)

    def watch(self, cluster: Cluster, truth: Truth) -> Watch:
        """See Contender; heartbeats are copied too, but not stored as frames."""
        return StoredRows(clickhouse_client(cluster.endpoints), truth.frames)


def _copied(cluster: Cluster) -> int:
    return sum(end_offsets(cluster.endpoints.kafka_bootstrap, Topic.RAWFRAMES_PROCESSED).values())


def _copy_frames(cluster: Cluster, truth: Truth) -> None:
    """Runs the frame filter, unmeasured."""
    empty_topics(cluster.endpoints.kafka_bootstrap, OUTPUTS, partitions=PARTITIONS)
    job = FrameFilter("g", READINGS_BATCH)
    job.prepare(cluster, truth)
    watch = job.watch(cluster, truth)
    try:
        job.start(cluster)
        if not watch.poll(_COPY_TIMEOUT_S):
            raise BenchError(f"the frame filter copied {watch.count():,} of {truth.frames:,} frames: {job.failure()}")
    finally:
        watch.close()
        job.stop(cluster)
