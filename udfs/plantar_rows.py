"""features-plantar: pressures under the feet, from the sessions of insoles and pressure platforms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from schemas.plantar import PLANTAR_FEATURES
from schemas.pressure_devices import PRESSURE_DEVICES
from schemas.rows import RowValues
from udfs.plantar import PlantarSession, extract_plantar_batch
from udfs.plantar.devices import device_session
from udfs.session_rows import RecordGroup, describe_sessions
from udfs.signals import SessionSignal


def extract_plantar_features(groups: Sequence[RecordGroup]) -> list[list[RowValues]]:
    """The `features-plantar` rows of each group of frames of a pressure device: one for each session in it."""
    return describe_sessions(groups, PLANTAR_FEATURES, _extract)


def _extract(sensor_type: str, signals: Sequence[SessionSignal]) -> tuple[NDArray[np.float64], list[tuple[str, ...]]]:
    return extract_plantar_batch([_session(sensor_type, signal) for signal in signals])


def _session(sensor_type: str, signal: SessionSignal) -> PlantarSession:
    """The channels that the device sent: a platform sends those that were stepped on."""
    sent = ~np.isnan(signal.samples).all(axis=0) if len(signal.samples) else np.zeros(signal.samples.shape[1], bool)
    channels = tuple(compress(PRESSURE_DEVICES[sensor_type].channels, sent))
    return device_session(sensor_type, channels, signal.samples[:, sent], signal.sample_rate_hz)
