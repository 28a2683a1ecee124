"""features-scanner: the measures of the feet, from the sessions of a foot scanner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from schemas.errors import InvalidMessage
from schemas.feature_schema import feature_schema_hash
from schemas.meshes import FetchScan, FootMesh, Side, open_mesh
from schemas.proto.envelope_pb2 import Mesh
from schemas.rows import RowValues
from schemas.scanner import SCANNER_FEATURES, ScanReason
from udfs.named_features import described_features
from udfs.records import SampleFrame
from udfs.scanner import FootScan, ScanSession, extract_scanner_batch
from udfs.session_rows import RecordGroup, session_extent
from udfs.signals import SessionFrames, join_frames, sessions_of_frames

SCANNER_SCHEMA_HASH = feature_schema_hash(SCANNER_FEATURES)


def extract_scanner_features(groups: Sequence[RecordGroup], fetch: FetchScan | None) -> list[list[RowValues]]:
    """The `features-scanner` rows of each group of scans: one for each session in it.

    Args:
        groups: of the scanner.
        fetch: gives the meshes to which frames refer; None where there is no scan store. What it raises other than
            `InvalidMessage` goes through: the store is away.
    """
    return [
        [_describe(group, session, fetch) for session in sessions_of_frames(group.key, group.values)]
        for group in groups
    ]


def _describe(group: RecordGroup, session: SessionFrames, fetch: FetchScan | None) -> RowValues:
    scans = tuple(_scan(frame, fetch) for frame in session.frames)
    (values,), (missing,) = extract_scanner_batch([ScanSession(scans)])
    extent = session_extent(group, join_frames(session))
    del extent["sample_rate_hz"]
    return extent | described_features(SCANNER_FEATURES, values.tolist(), missing, schema_hash=SCANNER_SCHEMA_HASH)


def _scan(frame: SampleFrame, fetch: FetchScan | None) -> FootScan:
    scan = frame.source if isinstance(frame.source, FootMesh | Mesh) else Mesh()
    try:
        opened = scan if isinstance(scan, FootMesh) else open_mesh(scan, fetch)
    except InvalidMessage:
        nothing = np.empty((0, 3))
        side = cast(Side, scan.side) if scan.side else None
        return FootScan(nothing, nothing.astype(np.int64), side, reason=ScanReason.NOT_AVAILABLE)
    return FootScan(opened.vertices_mm, opened.faces, opened.side)
