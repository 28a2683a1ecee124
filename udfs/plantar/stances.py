"""Stances of one foot on a pressure device, and sums and maxima over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udfs.gait.contact import ContactRule, FloatArray, IntArray, find_contacts
from udfs.plantar.print_shape import CONTACT_KPA

PLATFORM_RULE = ContactRule(threshold=CONTACT_KPA, hysteresis=0.0)
RAW_THRESHOLD_SHARE = 0.12
RAW_HYSTERESIS_SHARE = 0.04
RAW_PERCENTILES = (10.0, 90.0)
MIN_STANCE_FRAMES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Stances:
    """The stances of one foot: first and last frame of each, shape [k]."""

    first: IntArray
    last: IntArray

    @property
    def count(self) -> int:
        """Number of stances."""
        return int(self.first.size)

    @property
    def _bounds(self) -> IntArray:
        return np.column_stack([self.first, self.last + 1]).ravel()

    def sums(self, series: FloatArray) -> FloatArray:
        """Sum over each stance of a series, shape [n] or [n, c]: [k] or [k, c]; finite values only."""
        padded = np.concatenate([series, np.zeros_like(series[:1])])
        return np.asarray(np.add.reduceat(padded, self._bounds, axis=0)[::2])

    def maxima(self, series: FloatArray) -> FloatArray:
        """Maximum over each stance of a series, shape [n] or [n, c]: [k] or [k, c]."""
        padded = np.concatenate([series, np.zeros_like(series[:1])])
        return np.asarray(np.maximum.reduceat(padded, self._bounds, axis=0)[::2])

    def rows(self, series: FloatArray) -> FloatArray:
        """The series, shape [n], cut into stances: [k, w], NaN behind the end of a stance."""
        width = int(np.max(self.last - self.first, initial=0)) + 1
        index = self.first[:, np.newaxis] + np.arange(width)
        return np.where(index <= self.last[:, np.newaxis], series[np.minimum(index, self.last[:, np.newaxis])], np.nan)


def insole_stances(force_newton: FloatArray, lost: NDArray[np.bool_], *, frame_rate_hz: float) -> Stances:
    """Complete stances: force from 20 N to 20 N, at least 0.2 s, begun and ended within the session, no frame lost.

    Args:
        force_newton: shape [n], total force; 0 where lost.
        lost: shape [n].
        frame_rate_hz: frames per second.
    """
    return _complete(force_newton, lost, ContactRule(), frame_rate_hz)


def platform_stances(peak_kpa: FloatArray, lost: NDArray[np.bool_], *, frame_rate_hz: float) -> Stances:
    """Contacts with a platform: frames with a sensor at 10 kPa or more. The device itself begins and ends the session.

    Args:
        peak_kpa: shape [n], highest pressure of each frame; 0 where lost.
        lost: shape [n].
        frame_rate_hz: frames per second.
    """
    contacts = find_contacts(peak_kpa, sample_rate_hz=frame_rate_hz, rule=PLATFORM_RULE)
    return _usable(contacts.first, contacts.last, lost)


def raw_stances(total: FloatArray, lost: NDArray[np.bool_], *, frame_rate_hz: float) -> Stances:
    """Complete stances of sensors without calibration: threshold at 12 % of the range of their sum (P10 to P90).

    The same threshold as for foot switches in arbitrary units, where it dates strides within 20 ms in 94.5 % of the
    records of the PhysioNet gaitndd set.
    """
    low, high = np.percentile(total[~lost], RAW_PERCENTILES)
    span = float(high - low)
    if not span > 0.0:
        return Stances(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    rule = ContactRule(threshold=RAW_THRESHOLD_SHARE * span, hysteresis=RAW_HYSTERESIS_SHARE * span)
    return _complete(np.where(lost, 0.0, total - low), lost, rule, frame_rate_hz)


def _complete(series: FloatArray, lost: NDArray[np.bool_], rule: ContactRule, rate_hz: float) -> Stances:
    contacts = find_contacts(series, sample_rate_hz=rate_hz, rule=rule)
    whole = np.isfinite(contacts.strike) & np.isfinite(contacts.off)
    return _usable(contacts.first[whole], contacts.last[whole], lost)


def _usable(first: IntArray, last: IntArray, lost: NDArray[np.bool_]) -> Stances:
    """Stances of at least three frames with no frame lost in them or right beside them."""
    before = np.concatenate([[0], np.cumsum(lost)])
    low, high = np.maximum(first - 1, 0), np.minimum(last + 2, lost.size)
    keep = (before[high] == before[low]) & (last - first + 1 >= MIN_STANCE_FRAMES)
    return Stances(first[keep], last[keep])
