"""Whether the service can do its work now: Kafka has been seen lately, and the device keys are good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from services.ingestion.key_file import KeyFileError, KeyRing
from services.ingestion.writer import RecordWriter

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Readiness:
    """What `/ready` says, kept up to date by `watch`.

    Attributes:
        writer: to Kafka.
        topic: that must be there.
        keys: None without authentication.
        max_age_s: Kafka must have been seen so recently.
        monotonic_s: seconds of a clock that never jumps.
    """

    writer: RecordWriter
    topic: str
    keys: KeyRing | None
    max_age_s: float
    monotonic_s: Callable[[], float]
    _seen_s: float | None = None
    _topic_problem: str = "Kafka has not been asked yet"

    def problems(self) -> list[str]:
        """Why the service is not ready; empty if it is."""
        problems: list[str] = []
        if self._seen_s is None or self.monotonic_s() - self._seen_s > self.max_age_s:
            problems.append(self._topic_problem or "Kafka was not asked for too long")
        if self.keys is not None and not self.keys.usable:
            problems.append("the device keys can't be read")
        return problems

    async def watch_topic(self, interval_s: float) -> None:
        """Asks Kafka for the topic again and again."""
        while True:
            problem = await asyncio.to_thread(self.writer.topic_problem, self.topic)
            if problem and problem != self._topic_problem:
                LOG.warning("not ready: %s", problem)
            self._topic_problem = problem
            if not problem:
                self._seen_s = self.monotonic_s()
            await asyncio.sleep(interval_s)

    async def watch_keys(self, interval_s: float) -> None:
        """Reads the file of keys whenever it changes."""
        keys = self.keys
        said = ""
        while keys is not None:
            try:
                if keys.refresh():
                    LOG.info("device keys read again: %d live", keys.live)
                said = ""
            except KeyFileError as error:
                if str(error) != said:
                    LOG.error("the keys of %.0f s ago stay in force for a while: %s", keys.stale_s, error)
                said = str(error)
            await asyncio.sleep(interval_s)
