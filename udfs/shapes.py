"""Which records of a batch have one shape, as far as their lengths tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LENGTH_BITS = 21


def rows_of_one_length(*columns: Sequence[bytes]) -> list[NDArray[np.intp]]:
    """Groups of rows that have the same lengths in every column.

    Args:
        columns: up to three, of the parts of the same records; no part is longer than 2 MiB.

    Returns:
        The rows of each group, ascending; none for an empty batch.
    """
    count = len(columns[0])
    if count == 0:
        return []
    shape = np.zeros(count, dtype=np.int64)
    for parts in columns:
        shape = (shape << _LENGTH_BITS) | np.fromiter(map(len, parts), np.int64, count)
    if (shape == shape[0]).all():
        return [np.arange(count)]
    order = np.argsort(shape, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(shape[order])) + 1)
