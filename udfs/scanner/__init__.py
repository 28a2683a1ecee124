"""Foot scans: measures of a triangle mesh of a foot."""

from udfs.scanner.extract import (
    FootScan,
    ScanResult,
    ScanSession,
    extract_scanner,
    extract_scanner_batch,
    measure_foot,
)

__all__ = ["FootScan", "ScanResult", "ScanSession", "extract_scanner", "extract_scanner_batch", "measure_foot"]
