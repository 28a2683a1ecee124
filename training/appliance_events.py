"""The table an appliance model learns from: one row of features for each PLAID event, and which events are near-copies.

The archive holds `voltage` (V) and `current` (A), [events, 500], one 60 Hz cycle at 30 kHz each, and `label`, a code
whose meaning is not in the file. Which house or appliance an event comes from is not there either, so cycles of the
same appliance are found by their likeness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist, squareform

from schemas.errors import RecordingError
from schemas.power import POWER_FEATURE_NAMES, Supply
from udfs.power import PhaseSignal, PowerWindow, extract_power_batch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SAMPLE_RATE_HZ = 30_000.0
SAMPLES = 500
WINDOW_S = 60
SAME_BELOW = 0.05
"""Two cycles less than 5 % apart count as near-copies. The distances at which single linkage joins the events crowd
between 1 and 4 % (noise and drift of one running appliance) and thin out above; 7 of 10 events have another one
within 5 %."""


@dataclass(frozen=True, slots=True)
class Events:
    """What the archive holds: voltage and current [n, 500], codes of the appliances [n]."""

    voltage: FloatArray
    current: FloatArray
    codes: IntArray


@dataclass(frozen=True, slots=True)
class ApplianceTable:
    """Rows of features with their truth.

    Attributes:
        features: shape [r, k].
        codes: shape [r], the appliance.
    """

    features: FloatArray
    codes: IntArray

    def keep(self, rows: NDArray[np.intp]) -> ApplianceTable:
        """These rows."""
        return ApplianceTable(self.features[rows], self.codes[rows])

    def columns(self, names: Iterable[str]) -> ApplianceTable:
        """The same rows with these of all power features only, in this order."""
        return ApplianceTable(self.features[:, [POWER_FEATURE_NAMES.index(name) for name in names]], self.codes)


def read_events(folder: Path) -> Events:
    """Every event of `plaid.npz`.

    Raises:
        RecordingError: the archive is not as described.
    """
    path = folder / "plaid.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            events = Events(archive["voltage"], archive["current"], archive["label"])
    except (OSError, ValueError, KeyError) as error:
        raise RecordingError(f"{path}: {error!r}") from error
    shape = (events.codes.size, SAMPLES)
    if events.voltage.shape != shape or events.current.shape != shape or events.codes.size == 0:
        raise RecordingError(f"{path}: voltage {events.voltage.shape}, current {events.current.shape}, not {shape}")
    return events


def build_table(events: Events) -> ApplianceTable:
    """All power features of every event, each a window of its own as the streaming job cuts it.

    The samples go through single precision, as in a frame. No voltage is declared: nothing that the model may see
    depends on it.
    """
    windows = [
        PowerWindow(0, float(WINDOW_S), volt=_signal(volt), amp=_signal(amp))
        for volt, amp in zip(events.voltage, events.current, strict=True)
    ]
    values, _reasons = extract_power_batch(windows, Supply(nominal_volt=None))
    return ApplianceTable(values, events.codes)


def _signal(cycle: FloatArray) -> PhaseSignal:
    samples = cycle.astype(np.float32).astype(np.float64)
    return PhaseSignal(0, SAMPLE_RATE_HZ, ("value",), samples[:, np.newaxis])


def near_copies(events: Events, same_below: float = SAME_BELOW) -> IntArray:
    """A group number for each event, shape [n]: single linkage of `cycle_distances` below `same_below`."""
    tree = linkage(squareform(cycle_distances(events), checks=False), "single")
    return np.asarray(fcluster(tree, same_below, "distance"), dtype=np.int64)


def cycle_distances(events: Events) -> FloatArray:
    """Relative difference of every two current cycles, shape [n, n], 0 .. 1.

    |y_a - y_b| / max(|y_a|, |y_b|) with y = (i - mean i) / U_rms: a mains voltage that has moved does not make another
    appliance, nor does a current transformer that was turned round (the nearer of y_b and -y_b counts). Size counts,
    because all heaters have the same shape.
    """
    volt_rms = np.sqrt(np.mean(events.voltage**2, axis=1, keepdims=True))
    cycles = (events.current - events.current.mean(axis=1, keepdims=True)) / volt_rms
    size = np.linalg.norm(cycles, axis=1)
    nearer = np.minimum(cdist(cycles, cycles), cdist(cycles, -cycles))
    distances = nearer / np.maximum(np.maximum.outer(size, size), np.finfo(np.float64).tiny)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(0.5 * (distances + distances.T))
