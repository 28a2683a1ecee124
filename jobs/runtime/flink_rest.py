"""The part of Flink's REST interface that `brain-jobs` uses."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

import httpx

from schemas.errors import BrainError

ENDED_STATES = frozenset({"FINISHED", "CANCELED", "FAILED", "SUSPENDED"})
_TIMEOUT_S = 30.0
_POLL_S = 0.2
_METRICS_S = 12.0


class FlinkRestError(BrainError):
    """Flink can't be reached or refused; the message says what to do."""


@dataclass(frozen=True, slots=True)
class JobOverview:
    """One job as Flink lists it."""

    job_id: str
    name: str
    state: str
    start_ms: int
    duration_ms: int
    running_tasks: int
    total_tasks: int


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What a job has done since it was last started.

    Attributes:
        read: records taken from Kafka.
        written: records handed to Kafka.
        checkpoints, failed_checkpoints: completed and failed.
        state_bytes: size of the last completed checkpoint.
        restarts: by Flink, after a failure.
    """

    read: int
    written: int
    checkpoints: int
    failed_checkpoints: int
    state_bytes: int
    restarts: int


class FlinkRest:
    """A client of one JobManager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def jobs(self) -> list[JobOverview]:
        """All jobs that the JobManager knows, newest first."""
        jobs = [
            JobOverview(
                job_id=job["jid"],
                name=job["name"],
                state=job["state"],
                start_ms=job["start-time"],
                duration_ms=job["duration"],
                running_tasks=job["tasks"]["running"],
                total_tasks=job["tasks"]["total"],
            )
            for job in self.get("/jobs/overview")["jobs"]
        ]
        return sorted(jobs, key=lambda job: job.start_ms, reverse=True)

    def live_jobs(self) -> dict[str, JobOverview]:
        """Jobs that have not ended, by name; of two with one name the newest."""
        return {job.name: job for job in reversed(self.jobs()) if job.state not in ENDED_STATES}

    def progress(self, job_id: str) -> JobProgress:
        """What a live job has done."""
        vertices = [vertex["id"] for vertex in self.get(f"/jobs/{job_id}")["vertices"]]
        checkpoints = self.get(f"/jobs/{job_id}/checkpoints")
        latest = (checkpoints["latest"] or {}).get("completed") or {}
        restarts = self.get(f"/jobs/{job_id}/metrics", get="numRestarts")
        return JobProgress(
            read=sum(self._operator_total(job_id, vertex, "Source", "numRecordsIn") for vertex in vertices),
            written=sum(self._operator_total(job_id, vertex, "Writer", "numRecordsSend") for vertex in vertices),
            checkpoints=checkpoints["counts"]["completed"],
            failed_checkpoints=checkpoints["counts"]["failed"],
            state_bytes=latest.get("state_size", 0),
            restarts=int(restarts[0]["value"]) if restarts else 0,
        )

    def _operator_total(self, job_id: str, vertex: str, operator: str, metric: str) -> int:
        """A counter of those operators of a vertex that have `operator` in their name, over all subtasks."""
        path = f"/jobs/{job_id}/vertices/{vertex}/subtasks/metrics"
        names = [found["id"] for found in self._known_metrics(path) if found["id"].endswith(f".{metric}")]
        wanted = ",".join(name for name in names if operator in name)
        return sum(int(found["sum"]) for found in self.get(path, get=wanted, agg="sum")) if wanted else 0

    def _known_metrics(self, path: str) -> list[dict[str, str]]:
        """The metrics of a vertex. Flink collects them only when asked, so the first answers may be empty."""
        deadline = time.monotonic() + _METRICS_S
        while not (found := self.get(path)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        known: list[dict[str, str]] = found
        return known

    def cancel(self, job_id: str, timeout_s: float = 60.0) -> None:
        """Cancels a job and waits until it has ended."""
        self._call("PATCH", f"/jobs/{job_id}", params={"mode": "cancel"})
        self._wait(lambda: self.get(f"/jobs/{job_id}")["state"] in ENDED_STATES, timeout_s, f"job {job_id} to end")

    def savepoint(self, job_id: str, target: str | None, *, stop: bool, timeout_s: float = 120.0) -> str:
        """Takes a savepoint, stopping the job with it if asked, and returns where it lies."""
        verb = "stop" if stop else "savepoints"
        body: dict[str, object] = {"targetDirectory": target} if stop else {"target-directory": target}
        trigger = self._call("POST", f"/jobs/{job_id}/{verb}", json=body)["request-id"]
        done: dict[str, Any] = {}

        def completed() -> bool:
            done.update(self.get(f"/jobs/{job_id}/savepoints/{trigger}"))
            return bool(done["status"]["id"] == "COMPLETED")

        self._wait(completed, timeout_s, f"the savepoint of {job_id}")
        operation = done["operation"]
        if "location" not in operation:
            cause = operation.get("failure-cause", {}).get("stack-trace", "no cause given").splitlines()[0]
            raise FlinkRestError(f"savepoint of {job_id} failed: {cause}")
        return str(operation["location"])

    def get(self, path: str, **params: str) -> Any:
        """GET of any path, as JSON."""
        return self._call("GET", path, params=params)

    def text(self, path: str) -> str:
        """GET of any path, as text."""
        return self._request("GET", path).text

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._request(method, path, **arguments)
        return response.json() if response.content else {}

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            response = self._client.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise FlinkRestError(f"no Flink at {self._url} ({error}): is the stack up? (brain-stack up)") from error
        if response.is_error:
            raise FlinkRestError(f"Flink refused {method} {path}: {response.status_code} {response.text[:300]}")
        return response

    def _wait(self, done: Any, timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise FlinkRestError(f"gave up after {timeout_s:.0f} s waiting for {what}")
            time.sleep(_POLL_S)
