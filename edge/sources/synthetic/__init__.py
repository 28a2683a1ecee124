"""Synthetic devices: signals with known truth for every kind of sensor that sends readings."""
