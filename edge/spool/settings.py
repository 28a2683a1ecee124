"""The settings of the spool and of the loop that sends from it; sections of the agent's YAML."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

KIB, MIB, GIB = 1024, 1024**2, 1024**3


class WhenFull(StrEnum):
    """What happens to a reading for which there is no room."""

    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"


class Fsync(StrEnum):
    """When bytes are forced to the disk. Only `group` keeps the promise that what is acknowledged survives a power cut.

    `interval` may lose the last `fsync_interval_ms`, `none` what the kernel had not written yet. All three survive a
    crash of the agent itself.
    """

    GROUP = "group"
    INTERVAL = "interval"
    NONE = "none"


class SpoolSettings(BaseModel):
    """The store.

    Attributes:
        directory: holds one spool; made if it is missing.
        segment_bytes: a segment file is closed once it has this many.
        max_bytes: of all segment files together, those kept after acknowledgement among them.
        max_age_s: unsent data older than this is dropped; needs `drop_oldest`. None keeps it for ever.
        min_free_bytes: the spool is full when the file system has less than this left.
        group_records, group_ms: a group is committed when it has so many records or its first waits so long.
        keep_acknowledged_s: acknowledged segments stay this long for `resend`; they yield when room is needed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Path
    segment_bytes: int = Field(8 * MIB, ge=4 * KIB, le=GIB)
    max_bytes: int = Field(GIB, ge=16 * KIB)
    max_age_s: float | None = Field(None, gt=0.0, allow_inf_nan=False)
    min_free_bytes: int = Field(64 * MIB, ge=0)
    when_full: WhenFull = WhenFull.BLOCK
    fsync: Fsync = Fsync.GROUP
    fsync_interval_ms: int = Field(1_000, ge=1)
    group_records: int = Field(500, ge=1)
    group_ms: int = Field(20, ge=0)
    keep_acknowledged_s: float = Field(3_600.0, ge=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.max_bytes < 2 * self.segment_bytes:
            raise ValueError(f"max_bytes={self.max_bytes} is less than two segments of {self.segment_bytes}")
        if self.max_age_s is not None and self.when_full is WhenFull.BLOCK:
            raise ValueError(f"max_age_s={self.max_age_s} drops data: it needs when_full=drop_oldest")
        return self


class DrainSettings(BaseModel):
    """The sending loop.

    Attributes:
        window_records, window_bytes: handed to the sender and not acknowledged yet; the first to be reached counts.
        backlog_share: of the window, at most, for the backlog. What is left is always free for live data, so where
            both lanes have more than the line takes, the backlog gets three records for each live one.
        live_age_s: a live record that waited longer belongs to the backlog, and newer ones go before it.
        cursor_ms: acknowledgements are written to disk at most this often; a crash sends again what it missed.
        retry_first_s, retry_most_s: waiting time after a failure of the line, doubled each time.
        max_rejected_bytes: of the file of records refused for good; when it is full they stay in the spool.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_records: int = Field(5_000, ge=4, le=1_000_000)
    window_bytes: int = Field(8 * MIB, ge=4 * KIB)
    backlog_share: float = Field(0.75, gt=0.0, le=0.95)
    live_age_s: float = Field(5.0, gt=0.0, allow_inf_nan=False)
    cursor_ms: int = Field(500, ge=0)
    retry_first_s: float = Field(0.1, gt=0.0, allow_inf_nan=False)
    retry_most_s: float = Field(30.0, gt=0.0, allow_inf_nan=False)
    max_rejected_bytes: int = Field(64 * MIB, ge=0)
