"""Environment features from temperature, humidity, CO2 and PM2.5, for many windows at once.

The line: `window` keeps the usable readings, `statistics` describes each sensor, `joined` pairs sensors for moist air
(`psychrometrics`, `comfort`) and the PM2.5 correction, `exposure` and `hourly` make doses, means and indices
(`air_quality`), `decay` finds air changes (`ventilation`), `extract` puts all in the order of
`schemas.environment.ENVIRONMENT_FEATURES`. Everything is a pure function of arrays: no clock, no randomness, no state,
sums in a fixed order.
"""

from udfs.environment.extract import extract_environment_batch
from udfs.environment.window import EnvironmentBatch, EnvironmentResult, Readings

__all__ = ["EnvironmentBatch", "EnvironmentResult", "Readings", "extract_environment_batch"]
