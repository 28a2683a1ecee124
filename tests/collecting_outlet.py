"""An outlet for tests of live sources: keeps what it is given, and lets a test wait for it instead of sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.measurement import Samples
from edge.sources.source import LiveSource, Rejected, Stopped, Taken

LONGEST_WAIT_S = 20.0


class CollectingOutlet:
    """Keeps everything.

    Args:
        stop: of the source; a blocked `put` raises Stopped then.
        on_disk: acknowledge each measurement and dead letter at once, as if the disk were immediate.
    """

    def __init__(self, stop: threading.Event, *, on_disk: bool = True) -> None:
        self.taken: list[Taken] = []
        self.rejected: list[Rejected] = []
        self.states: list[tuple[bool, str]] = []
        self.open = threading.Event()
        self.open.set()
        self._stop = stop
        self._on_disk = on_disk
        self._changed = threading.Condition()

    def put(self, taken: Taken) -> None:
        self._pass()
        with self._changed:
            self.taken.append(taken)
            self._changed.notify_all()
        if self._on_disk and taken.acknowledge is not None:
            taken.acknowledge()

    def reject(self, rejected: Rejected) -> None:
        self._pass()
        with self._changed:
            self.rejected.append(rejected)
            self._changed.notify_all()
        if self._on_disk and rejected.acknowledge is not None:
            rejected.acknowledge()

    def state(self, connected: bool, detail: str) -> None:
        with self._changed:
            self.states.append((connected, detail))
            self._changed.notify_all()

    def wait_for(self, holds: Callable[[CollectingOutlet], object]) -> None:
        """Until `holds(self)`; fails with what is there if that never comes."""
        with self._changed:
            came = self._changed.wait_for(lambda: bool(holds(self)), LONGEST_WAIT_S)
        assert came, f"taken {len(self.taken)}, rejected {[str(one.error) for one in self.rejected]}, {self.states}"

    def values(self) -> list[float]:
        """The first channel of everything taken, in order."""
        return [
            float(value)
            for one in self.taken
            if isinstance(one.measurement, Samples)
            for value in one.measurement.values[:, 0]
        ]

    def _pass(self) -> None:
        while not self.open.wait(0.05):
            if self._stop.is_set():
                raise Stopped("stopped")


class RunningSource:
    """A source in its thread."""

    def __init__(self, source: LiveSource, *, on_disk: bool = True) -> None:
        self.stop = threading.Event()
        self.outlet = CollectingOutlet(self.stop, on_disk=on_disk)
        self._failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(source,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop the source and see that it returns without an error."""
        self.stop.set()
        self.join()

    def join(self) -> None:
        """Wait for a source that ends by itself."""
        self._thread.join(LONGEST_WAIT_S)
        assert not self._thread.is_alive(), "the source does not stop"
        assert not self._failure, self._failure

    def _run(self, source: LiveSource) -> None:
        try:
            source.run(self.outlet, self.stop)
        except BaseException as error:
            self._failure.append(error)


@contextmanager
def running(source: LiveSource, *, on_disk: bool = True) -> Iterator[RunningSource]:
    """A source that runs as long as the block."""
    one = RunningSource(source, on_disk=on_disk)
    try:
        yield one
    finally:
        one.end()
