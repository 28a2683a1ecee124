"""Walks with a known truth: every heel strike, toe-off and curve follows from the numbers given here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.sensors import INSOLE_CHANNELS

Array = NDArray[np.float64]

SENSOR_Y = np.array([channel.y for channel in INSOLE_CHANNELS[:8]], dtype=np.float64)


@dataclass(frozen=True)
class FootPlan:
    """One foot: when it lands and for how long; `scale` multiplies its force."""

    strikes_s: Array
    stances_s: Array
    scale: float = 1.0
    rearfoot: float = -700.0


def curve(share: Array) -> Array:
    """The double hump of walking over the share of stance, in body weights; zero outside 0 to 1."""
    inside = (share > 0) & (share < 1)
    return np.where(inside, 1.3 * np.sin(np.pi * share) + 0.35 * np.sin(3 * np.pi * share), 0.0)


def even_plan(
    *, stride_s: float, stance_s: float, duration_s: float, phase: float = 0.0, scale: float = 1.0
) -> FootPlan:
    """A foot that lands exactly every `stride_s`, first at `phase` strides."""
    strikes = np.arange(phase * stride_s, duration_s, stride_s)
    return FootPlan(strikes, np.full(strikes.size, stance_s), scale)


def uneven_plan(strikes_s: Array, *, stance_share: float, scale: float = 1.0) -> FootPlan:
    """A foot that lands at the given instants and stands for a share of each stride."""
    return FootPlan(strikes_s[:-1], np.diff(strikes_s) * stance_share, scale)


def foot_force(plan: FootPlan, *, duration_s: float, rate_hz: float, weight_newton: float) -> Array:
    """The eight sensors of one foot, shape [n, 8], N: the load rolls from heel to toe."""
    time = np.arange(round(duration_s * rate_hz)) / rate_hz
    force = np.zeros((time.size, 8))
    for strike, stance in zip(plan.strikes_s, plan.stances_s, strict=True):
        share = (time - strike) / stance
        total = weight_newton * plan.scale * curve(share)
        centre = plan.rearfoot + (700.0 - plan.rearfoot) * np.clip(share, 0.0, 1.0)
        weights = np.exp(-(((SENSOR_Y - centre[:, np.newaxis]) / 500.0) ** 2))
        force += total[:, np.newaxis] * weights / weights.sum(axis=1, keepdims=True)
    return force


def walk(
    left: FootPlan, right: FootPlan, *, duration_s: float, rate_hz: float = 100.0, weight_newton: float = 800.0
) -> Array:
    """Both feet, shape [n, 16], N."""
    feet = [
        foot_force(plan, duration_s=duration_s, rate_hz=rate_hz, weight_newton=weight_newton) for plan in (left, right)
    ]
    return np.hstack(feet)


def even_walk(
    *, stride_s: float = 1.1, stance_s: float = 0.68, duration_s: float = 60.0, rate_hz: float = 100.0
) -> Array:
    """An even walk: both feet alike, half a stride apart."""
    left = even_plan(stride_s=stride_s, stance_s=stance_s, duration_s=duration_s)
    right = even_plan(stride_s=stride_s, stance_s=stance_s, duration_s=duration_s, phase=0.5)
    return walk(left, right, duration_s=duration_s, rate_hz=rate_hz)


def human_walk(*, seed: int, duration_s: float = 60.0, rate_hz: float = 100.0, stride_s: float = 1.1) -> Array:
    """A walk with varying strides and two unlike feet, from a seed."""
    generator = np.random.default_rng(seed)
    count = int(duration_s / stride_s) + 2
    left_strikes = 0.05 + np.cumsum(generator.normal(stride_s, 0.025, count))
    right_strikes = left_strikes + stride_s * 0.5 + generator.normal(0.0, 0.01, count)
    left = uneven_plan(left_strikes, stance_share=0.64)
    right = uneven_plan(right_strikes, stance_share=0.61, scale=0.95)
    force = walk(left, right, duration_s=duration_s, rate_hz=rate_hz)
    # Noise on loaded sensors only, as an insole has: without it a peak could repeat exactly.
    return np.where(force > 1.0, force * (1.0 + 0.01 * generator.standard_normal(force.shape)), force)
