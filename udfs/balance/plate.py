"""A force plate: the wrench it measures, whether a trial can be trusted, and the centre of pressure it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.balance import PLATE_CHANNELS, BalanceReason
from udfs.gait.contact import CONTACT_NEWTON, FloatArray

MIN_RATE_HZ = 20.0
MAX_RATE_HZ = 10_000.0
MIN_DURATION_S = 10.0
MAX_LOST_SHARE = 0.1
MIN_WEIGHT_NEWTON = 100.0
MAX_WEIGHT_NEWTON = 3_000.0
MAX_POSITION_M = 1.0
SATURATED_SHARE = 0.1
MAX_READING = 1e6
"""N or N m; a larger number is no reading and counts as lost."""

FX, FY, FZ, MX, MY, MZ = range(len(PLATE_CHANNELS))


@dataclass(frozen=True, slots=True, eq=False)
class BalanceTrial:
    """One trial.

    Attributes:
        wrench: shape [n, 6]: Fx, Fy, Fz in N, Mx, My, Mz in N m: the reaction of the plate, z up, moments about the
            plate's origin. A row with a value that is not finite is a lost sample.
        sample_rate_hz: samples per second, 20 to 10,000.
        ap_axis: the plate axis that points forward; "x" in the BDS trials.
        surface_height_m: how far the surface stood on lies above the origin of the moments; 0 in the BDS trials.
    """

    wrench: NDArray[Any]
    sample_rate_hz: float
    ap_axis: Literal["x", "y"] = "x"
    surface_height_m: float = 0.0


class Centre(NamedTuple):
    """The centre of pressure in m along the plate's axes, shape [n] each; NaN where the plate is not loaded."""

    x: FloatArray
    y: FloatArray


def plate_centre_of_pressure(wrench: FloatArray, *, surface_height_m: float = 0.0) -> Centre:
    """CoP from forces and moments: x = (h Fx - My) / Fz, y = (Mx + h Fy) / Fz.

    From M = r x F with the force acting at r = (x, y, h) and a free moment about z only. With h = 0 this gives the
    COPx and COPy columns of the BDS trials to their last printed digit (Santos & Duarte 2016).

    Args:
        wrench: shape [n, 6], N and N m, reaction of the plate, z up.
        surface_height_m: h, from -0.2 to 0.2 for real plates.

    Returns:
        x and y in m, NaN where Fz is not above 20 N.
    """
    force_z = wrench[:, FZ]
    loaded = force_z > CONTACT_NEWTON
    divisor = np.where(loaded, force_z, np.nan)
    return Centre(
        (surface_height_m * wrench[:, FX] - wrench[:, MY]) / divisor,
        (wrench[:, MX] + surface_height_m * wrench[:, FY]) / divisor,
    )


def check_form(trial: BalanceTrial) -> BalanceReason | None:
    """Whether shape, rate and length allow any feature; the reason why not, else None."""
    shape = np.shape(trial.wrench)
    if len(shape) != 2 or shape[1] != len(PLATE_CHANNELS):
        return BalanceReason.WRONG_SHAPE
    if not MIN_RATE_HZ <= trial.sample_rate_hz <= MAX_RATE_HZ:
        return BalanceReason.WRONG_RATE
    if shape[0] < MIN_DURATION_S * trial.sample_rate_hz:
        return BalanceReason.TOO_SHORT
    return None


def known_samples(wrench: NDArray[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The wrench from its first to its last complete row, shape [m, 6], and which of its rows are complete, [m]."""
    values = np.ascontiguousarray(wrench, dtype=np.float64)
    known = np.all(np.abs(values) <= MAX_READING, axis=1)
    places = np.flatnonzero(known)
    if places.size == 0:
        return values[:0], known[:0]
    part = slice(int(places[0]), int(places[-1]) + 1)
    return values[part], known[part]


def check_force(wrench: FloatArray, known: NDArray[np.bool_]) -> BalanceReason | None:
    """Whether the complete rows, at least one, look like a person standing; the reason why not, else None."""
    rows = wrench[known]
    force_z = rows[:, FZ]
    mean = float(np.mean(force_z))
    if np.all(force_z == force_z[0]):
        return BalanceReason.CONSTANT
    if mean < -CONTACT_NEWTON:
        return BalanceReason.NEGATIVE_FORCE
    if np.any(force_z <= CONTACT_NEWTON):
        return BalanceReason.OFF_PLATE
    if not MIN_WEIGHT_NEWTON <= mean <= MAX_WEIGHT_NEWTON:
        return BalanceReason.IMPLAUSIBLE_FORCE
    if _saturated(rows):
        return BalanceReason.SATURATED
    return None


def _saturated(rows: FloatArray) -> bool:
    """Whether a channel that moves spends over a tenth of its samples at exactly its highest or lowest value."""
    low, high = np.min(rows, axis=0), np.max(rows, axis=0)
    at_end = np.maximum(np.sum(rows == low, axis=0), np.sum(rows == high, axis=0))
    return bool(np.any((high > low) & (at_end > SATURATED_SHARE * len(rows))))
