"""Plantar pressure: what insoles and pressure platforms say of a foot."""

from udfs.plantar.extract import PlantarResult, PlantarSession, extract_plantar, extract_plantar_batch
from udfs.plantar.layout import SensorLayout, grid_layout, pedar_layout, unplaced_layout

__all__ = [
    "PlantarResult",
    "PlantarSession",
    "SensorLayout",
    "extract_plantar",
    "extract_plantar_batch",
    "grid_layout",
    "pedar_layout",
    "unplaced_layout",
]
