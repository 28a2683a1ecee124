"""Where ClickHouse is and how the writer uses it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class ClickHouseSettings(BaseModel):
    """Connection and batch settings of the writer.

    Attributes:
        host, port: the native protocol, not HTTP. One server: the writer asks it what is stored and what runs.
        user, password: need SELECT and INSERT on `database`.
        database: where the tables of clickhouse/*.sql are.
        secure: TLS.
        compression: lz4 on the wire; worth its time only when the server is not on this machine.
        insert_rows: longest INSERT; a longer block is cut.
        connect_timeout_s, request_timeout_s: after these the server counts as away.
        first_pause_s, longest_pause_s: back-off between attempts while the server is away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("localhost", min_length=1)
    port: int = Field(9000, ge=1, le=65_535)
    user: str = "default"
    password: SecretStr = SecretStr("")
    database: str = Field("brain", pattern="^[A-Za-z_][A-Za-z0-9_]*$")
    secure: bool = False
    compression: bool = False
    insert_rows: int = Field(50_000, ge=1, le=1_000_000)
    connect_timeout_s: float = Field(5.0, gt=0)
    request_timeout_s: float = Field(60.0, gt=0)
    first_pause_s: float = Field(0.1, gt=0)
    longest_pause_s: float = Field(10.0, gt=0)
