"""Dips, swells and interruptions from U_rms(1/2) with hysteresis (IEC 61000-4-30:2015, 5.4 and 5.5; EN 50160:2010)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.power import Supply
from udfs.power.window import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one kind, in order.

    Attributes:
        first, end: [e], index of the first value inside and of the first value behind.
        extreme: [e], the lowest (or highest) value inside.
        duration_s: [e], from the time of the first value inside to the time of the first value behind.
        cut: [e], whether the record or a gap ends or begins inside the event: then its length is a lower bound.
    """

    first: IntArray
    end: IntArray
    extreme: FloatArray
    duration_s: FloatArray
    cut: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Number of events."""
        return int(self.first.size)

    def only(self, keep: NDArray[np.bool_]) -> Events:
        """The events that `keep` [e] names."""
        return Events(self.first[keep], self.end[keep], self.extreme[keep], self.duration_s[keep], self.cut[keep])


@dataclass(frozen=True, slots=True)
class VoltageEvents:
    """All events of one record."""

    dips: Events
    swells: Events
    interruptions: Events

    @property
    def cut_count(self) -> int:
        """Events of any kind that are open at an edge."""
        return int(sum(np.count_nonzero(events.cut) for events in (self.dips, self.swells, self.interruptions)))


def find_voltage_events(rms: FloatArray, time_s: FloatArray, supply: Supply, nominal_volt: float) -> VoltageEvents:
    """Events among RMS values.

    Args:
        rms: [phases, h], U_rms(1/2) or readings, V; NaN where unknown. A dip or swell begins on any phase and ends
            when all are back; an interruption begins when all are out and ends when one is back.
        time_s: [h + 1], time of each value (the start of its cycle) and of the end.
        supply: the thresholds, in % of `nominal_volt`.
        nominal_volt: declared voltage U_din.
    """
    unknown = np.isnan(rms).any(axis=0)
    lowest = np.where(unknown, np.nan, np.fmin.reduce(rms, axis=0))
    highest = np.where(unknown, np.nan, np.fmax.reduce(rms, axis=0))
    percent, hysteresis = nominal_volt / 100.0, supply.hysteresis_pct
    interruptions = events_below(
        highest, time_s, supply.interruption_pct * percent, (supply.interruption_pct + hysteresis) * percent
    )
    low = events_below(lowest, time_s, supply.dip_start_pct * percent, (supply.dip_start_pct + hysteresis) * percent)
    inside = np.searchsorted(interruptions.first, low.end) > np.searchsorted(interruptions.first, low.first)
    swells = events_below(
        -highest, time_s, -supply.swell_start_pct * percent, (hysteresis - supply.swell_start_pct) * percent
    )
    return VoltageEvents(low.only(~inside), _mirrored(swells), interruptions)


def events_below(values: FloatArray, time_s: FloatArray, start: float, end: float) -> Events:
    """Spans of `values` [h] that begin below `start` and end at or above `end`; unknown values end a span.

    `time_s` [h + 1] is the time of each value and of the end of the last one.
    """
    unknown = np.isnan(values)
    with np.errstate(invalid="ignore"):
        decision = np.where(values < start, 1, np.where((values >= end) | unknown, -1, 0)).astype(np.int8)
    # Between the two thresholds the last decision holds.
    last = np.maximum.accumulate(np.where(decision != 0, np.arange(len(values)), -1))
    state = np.concatenate(([0], np.where((last >= 0) & (decision[last] > 0), 1, 0), [0])).astype(np.int8)
    edges = np.diff(state)
    first, behind = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    if first.size == 0:
        return Events(first, behind, np.empty(0), np.empty(0), np.empty(0, dtype=np.bool_))
    # Reducing at every second of (first, end, first, end ...) gives the minimum of each span; padding closes the last.
    padded = np.concatenate((np.where(unknown, np.inf, values), [np.inf]))
    extreme = np.minimum.reduceat(padded, np.stack((first, behind), axis=1).ravel())[::2]
    outside = np.concatenate(([True], unknown, [True]))
    return Events(first, behind, extreme, time_s[behind] - time_s[first], outside[first] | outside[behind + 1])


def _mirrored(events: Events) -> Events:
    return Events(events.first, events.end, -events.extreme, events.duration_s, events.cut)
