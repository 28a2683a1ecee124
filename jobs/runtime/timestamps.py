"""Flink's timestamps in a vectorised function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def milliseconds(times: pd.Series[Any]) -> NDArray[np.int64]:
    """A TIMESTAMP_LTZ column as milliseconds since the epoch.

    PyFlink hands it over with a time zone; `to_numpy` would make one Python object of each.
    """
    return times.dt.as_unit("ms").astype("int64").to_numpy()
