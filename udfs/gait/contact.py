"""Foot contact: when a foot is loaded, to a fraction of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CONTACT_NEWTON = 20.0
HYSTERESIS_NEWTON = 5.0
MIN_CONTACT_S = 0.2
MIN_OFF_S = 0.1


@dataclass(frozen=True, slots=True)
class ContactRule:
    """When a foot counts as loaded.

    Attributes:
        threshold: force of the crossing that dates heel strike and toe-off (N, or the signal's own unit).
        hysteresis: the force must pass threshold + hysteresis to begin a contact and threshold - hysteresis to end it,
            so noise about the threshold makes no steps.
        min_contact_s, min_off_s: shorter contacts and shorter unloaded times are not gait events.
    """

    threshold: float = CONTACT_NEWTON
    hysteresis: float = HYSTERESIS_NEWTON
    min_contact_s: float = MIN_CONTACT_S
    min_off_s: float = MIN_OFF_S


@dataclass(frozen=True, slots=True)
class Contacts:
    """The contacts of one foot in time order, arrays of shape [k].

    Attributes:
        strike: heel strike in samples, sub-sample; NaN where the contact began before the record.
        off: toe-off in samples, sub-sample; NaN where the contact outlasts the record.
        first, last: first and last whole sample at or above the threshold.
    """

    strike: FloatArray
    off: FloatArray
    first: IntArray
    last: IntArray


def find_contacts(force: FloatArray, *, sample_rate_hz: float, rule: ContactRule | None = None) -> Contacts:
    """Find the contacts of one foot in its total force, shape [n].

    A missing sample (NaN) counts as unloaded; whoever uses a contact beside a gap must drop it (`strides` does).
    Crossing time: linear interpolation between the two samples about the threshold.
    Source: threshold and interpolation as in the VGRF literature (20 N); minimum durations after Hausdorff 1998.
    """
    rule = rule or ContactRule()
    starts, stops = _runs(_loaded(force, rule))
    starts, stops = _drop_short_offs(starts, stops, rule.min_off_s * sample_rate_hz)
    long_enough = stops - starts >= rule.min_contact_s * sample_rate_hz
    return _date_contacts(force, starts[long_enough], stops[long_enough], rule.threshold)


def _loaded(force: FloatArray, rule: ContactRule) -> NDArray[np.bool_]:
    """Schmitt trigger: between the two levels the state stays what it was; the record begins unloaded."""
    above = force > rule.threshold + rule.hysteresis
    decided = above | ~(force >= rule.threshold - rule.hysteresis)
    latest = np.maximum.accumulate(np.where(decided, np.arange(force.size), -1))
    return np.asarray((latest >= 0) & above[latest])


def _runs(loaded: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """First index and past-the-end index of each run of True."""
    edges = np.diff(loaded.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _drop_short_offs(starts: IntArray, stops: IntArray, min_off: float) -> tuple[IntArray, IntArray]:
    """Join runs that a too short unloaded time divides."""
    if starts.size == 0:
        return starts, stops
    real_off = starts[1:] - stops[:-1] >= min_off
    return starts[np.concatenate(([True], real_off))], stops[np.concatenate((real_off, [True]))]


def _date_contacts(force: FloatArray, starts: IntArray, stops: IntArray, threshold: float) -> Contacts:
    """Move each trigger instant to the crossing of the threshold itself that led to it."""
    above = force >= threshold
    rises = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    falls = np.flatnonzero(above[:-1] & ~above[1:]) + 1
    rise_index = np.searchsorted(rises, starts, side="right") - 1
    fall_index = np.searchsorted(falls, stops, side="right") - 1
    first = np.where(rise_index >= 0, _take(rises, rise_index), 0)
    ended = (fall_index >= 0) & (_take(falls, fall_index) > first) & (stops < force.size)
    past_last = np.where(ended, _take(falls, fall_index), force.size)
    strike = np.where(rise_index >= 0, _crossing(force, first, threshold), np.nan)
    off = np.where(ended, _crossing(force, past_last, threshold), np.nan)
    return Contacts(strike=strike, off=off, first=first, last=past_last - 1)


def _take(values: IntArray, index: IntArray) -> IntArray:
    """Values at clipped indices; zeros when there are none (callers mask those out)."""
    if values.size == 0:
        return np.zeros_like(index)
    return np.asarray(values[np.clip(index, 0, values.size - 1)])


def _crossing(force: FloatArray, after: IntArray, threshold: float) -> FloatArray:
    """Sub-sample instant at which the force passes the threshold between samples `after - 1` and `after`."""
    right = np.clip(after, 1, max(force.size - 1, 1))
    if force.size < 2:
        return np.full(after.shape, np.nan)
    low, high = force[right - 1], force[right]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(right - 1 + (threshold - low) / (high - low))
