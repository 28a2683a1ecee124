"""Gait features from the vertical force under both feet.

The line: `contact` finds foot contacts, `strides` pairs and selects them, `timing`, `force`, `pressure_centre` and
`coordination` turn them into numbers, `extract` puts these in the order of `schemas.health.GAIT_FEATURES`.
Everything is a pure function of arrays: no clock, no randomness, no state, sums in a fixed order.
"""

from udfs.gait.extract import GaitResult, extract_batch, extract_gait_features

__all__ = ["GaitResult", "extract_batch", "extract_gait_features"]
