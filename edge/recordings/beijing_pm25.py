"""Recordings of the UCI data set Beijing PM2.5 (381): hourly PM2.5 of the US embassy and the weather of the airport.

CSV: No, year, month, day, hour, pm2.5 (`NA` = missing), DEWP and TEMP in whole degC, PRES, wind, snow, rain. One device
per file with PM25, TEMP and HUMID. The humidity is not measured but follows from temperature and dew point (Magnus over
water, WMO-No. 8); with whole degrees it would reach 107 %, so it is limited to 100 %. Times have no zone and count as
UTC. `start_s` is in s since the epoch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.recordings.recording import Recording
from edge.recordings.spacing import Spacing, evenly_spaced
from edge.recordings.table import Floats, read_table
from edge.recordings.text_files import read_head, stem, whole_file

_HEADER = "No,year,month,day,hour,pm2.5,DEWP,TEMP"
_SPACING = Spacing(step_s=3_600.0, tolerance_s=0.5)
_MISSING = ("", "NA")
_MAGNUS_B, _MAGNUS_C_DEGC = 17.62, 243.12


def recognises(path: Path) -> bool:
    """Whether a file has the data set's header."""
    return read_head(path).startswith(_HEADER)


expand_address = whole_file


def read_recordings(address: str) -> list[Recording]:
    """The recordings of a file, one for each stretch without a missing hour.

    Raises:
        RecordingError: naming file, line and column of what is wrong.
    """
    path = Path(address)
    table = read_table(path)
    time_s = table.times(("year", "month", "day", "hour"), "%Y %m %d %H")
    table.ascending(time_s, "hour")
    temp = table.numbers("TEMP", missing=_MISSING)
    columns = {
        "PM25": table.numbers("pm2.5", missing=_MISSING),
        "TEMP": temp,
        "HUMID": relative_humidity_pct(temp, table.numbers("DEWP", missing=_MISSING)),
    }
    return [
        recording
        for sensor_type, value in columns.items()
        for recording in evenly_spaced(stem(path), sensor_type, time_s, value, _SPACING)
    ]


def relative_humidity_pct(temp_degc: Floats, dew_point_degc: Floats) -> Floats:
    """Relative humidity of air with a dew point, %, at most 100; Magnus over water (WMO-No. 8, Annex 4.B)."""
    exponent = [_MAGNUS_B * degc / (_MAGNUS_C_DEGC + degc) for degc in (dew_point_degc, temp_degc)]
    return np.asarray(np.minimum(100.0 * np.exp(exponent[0] - exponent[1]), 100.0))
