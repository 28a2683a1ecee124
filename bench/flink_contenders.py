"""The contenders that run on Flink: our jobs as shipped, and the per-record job that they replace."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.cluster import Cluster
from bench.contenders import PEERS, Command, Contender, last_error, peer_arguments
from bench.fill import Truth
from bench.sampling import Root
from bench.tally import CopiedFrames, Watch
from bench.topics import end_offsets
from bench.workloads import Workload
from jobs.runtime.flink_rest import ENDED_STATES, FlinkRest, FlinkRestError
from schemas.topics import Topic
from stack.home import REPOSITORY

PARALLELISM = 2
READINGS_BATCH, WAVEFORMS_BATCH = 10_000, 1_000
SUBMIT_CLIENT = "submit client"


class FlinkContender(Contender):
    """A job that is submitted with `flink run -d -py` to a TaskManager on which only itself has run before."""

    job_name: str
    script: Path

    def __init__(self) -> None:
        self._client: Command | None = None
        self._servers: list[Root] = []
        self._flink_rest_url = ""
        self._own_taskmanager = 0

    def needs_warm_up(self, cluster: Cluster) -> bool:
        """Until it has run on the TaskManager that is there now: others may have taken theirs since."""
        return cluster.pid("taskmanager") != self._own_taskmanager

    def job_environment(self) -> Mapping[str, str]:
        """Further environment of the job."""
        return {}

    def flink_options(self) -> Sequence[str]:
        """Options of `flink run`."""
        return ()

    def job_arguments(self, cluster: Cluster) -> Sequence[str]:
        """Arguments behind the script."""
        del cluster
        return ()

    def prepare(self, cluster: Cluster, truth: Truth) -> None:
        """See Contender."""
        del truth
        if self.needs_warm_up(cluster):
            cluster.restart_taskmanager()
            self._own_taskmanager = cluster.pid("taskmanager")
        self._flink_rest_url = cluster.endpoints.flink_rest_url
        self._servers = [Root(name, cluster.pid(name)) for name in ("taskmanager", "jobmanager")]

    def start(self, cluster: Cluster) -> None:
        """See Contender."""
        environment = cluster.environment() | dict(self.job_environment())
        bash = shutil.which("bash") or "/bin/bash"
        flink = str(Path(environment["FLINK_HOME"]) / "bin" / "flink")
        arguments = (
            bash,
            flink,
            "run",
            "-d",
            *self.flink_options(),
            "-py",
            str(self.script),
            *self.job_arguments(cluster),
        )
        self._client = Command(arguments, environment)

    def roots(self) -> list[Root]:
        """See Contender."""
        client = [Root(SUBMIT_CLIENT, self._client.pid, counts_memory=False)] if self._client else []
        return [*self._servers, *client]

    def failure(self) -> str | None:
        """See Contender."""
        return (self._client.failure() if self._client else None) or self._restart_cause()

    def _restart_cause(self) -> str | None:
        """Why the job was restarted, if it was: such a run is not to be measured."""
        with FlinkRest(self._flink_rest_url) as rest:
            for job in rest.jobs():
                if job.name == self.job_name and job.state not in ENDED_STATES:
                    causes = rest.get(f"/jobs/{job.job_id}/exceptions")["exceptionHistory"]["entries"]
                    return f"restarted: {last_error(causes[0]['stacktrace'])}" if causes else None
        return None

    def stop(self, cluster: Cluster) -> None:
        """See Contender; every job is cancelled, so that nothing else uses the processor."""
        if self._client:
            self._client.stop()
            self._client = None
        with FlinkRest(cluster.endpoints.flink_rest_url) as rest:
            for job in [job for job in rest.jobs() if job.state not in ENDED_STATES]:
                # A TaskManager that dies of the cancellation is replaced before the next job.
                with contextlib.suppress(FlinkRestError):
                    rest.cancel(job.job_id)


class FrameJob(FlinkContender):
    """One of our jobs that read frames, set as the documentation advises for the workload's kind of frame."""

    def __init__(self, letter: str, batch_rows: int) -> None:
        super().__init__()
        self.letter = letter
        self.name = self.job_name.replace("_", " ")
        self.script = REPOSITORY / "jobs" / f"{self.job_name}.py"
        self._batch_rows = batch_rows

    def job_environment(self) -> Mapping[str, str]:
        """See FlinkContender."""
        return {"BRAIN_JOBS_PARALLELISM": str(PARALLELISM), "BRAIN_JOBS_FRAME_BATCH_ROWS": str(self._batch_rows)}


class Sessionizer(FrameJob):
    """Our sessionizer job exactly as shipped: validation, dead letters, sessions, statistics."""

    job_name = "sessionizer"
    results = Topic.SESSION_FEATURES.value

    def leftovers(self, cluster: Cluster, truth: Truth) -> str | None:
        """No frame may have become a dead letter."""
        del truth
        dead = sum(end_offsets(cluster.endpoints.kafka_bootstrap, Topic.RAWFRAMES.dead_letters).values())
        return f"{dead:,} dead letters" if dead else None


class FrameFilter(FrameJob):
    """Our frame_filter job exactly as shipped: validation, and the copy of every good frame."""

    job_name = "frame_filter"
    results = Topic.RAWFRAMES_PROCESSED.value

    def watch(self, cluster: Cluster, truth: Truth) -> Watch:
        """See Contender. Heartbeats are copied too: counting frames alone would stop before the last of them."""
        del truth
        bootstrap = cluster.endpoints.kafka_bootstrap
        return CopiedFrames(bootstrap, self.results, sum(end_offsets(bootstrap, Topic.RAWFRAMES).values()))


class KeyedProcess(FlinkContender):
    """A Python KeyedProcessFunction, called once for every record."""

    letter = "f"
    name = "PyFlink per record"
    job_name = "keyed_process"
    script = PEERS / "keyed_process.py"

    def stages(self, workload: Workload) -> tuple[int, int]:
        """The two smallest sizes: at the others it would run for many minutes."""
        del workload
        return 0, 1

    def __init__(self) -> None:
        super().__init__()
        self._archives = tempfile.TemporaryDirectory(prefix="brain-bench-")

    def flink_options(self) -> Sequence[str]:
        """Ships the module of the peers, which is not installed where the workers run."""
        archive = Path(self._archives.name) / "peers.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for path in (REPOSITORY / "bench" / "__init__.py", *PEERS.glob("*.py")):
                file.write(path, path.relative_to(REPOSITORY))
        return ("-pyfs", str(archive))

    def job_arguments(self, cluster: Cluster) -> Sequence[str]:
        """See FlinkContender."""
        return (*peer_arguments(cluster), str(PARALLELISM))
