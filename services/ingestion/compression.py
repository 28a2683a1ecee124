"""Bodies out of gzip and zstd. Output never grows past the limit, so a bomb costs no more than an honest body."""

from __future__ import annotations

import io
import zlib

import zstandard

from services.ingestion.problems import Fault, ProblemError

IDENTITY, GZIP, ZSTD = "identity", "gzip", "zstd"
ENCODINGS = (IDENTITY, GZIP, ZSTD)

_GZIP_WINDOW_BITS = 31
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
"""What zstd itself uses at its usual levels; a frame may ask for 2 GiB."""
_STEP_BYTES = 65_536


def known_encoding(content_encoding: str | None) -> str:
    """The encoding that a header names.

    Raises:
        ProblemError: if it is none of ours.
    """
    name = (content_encoding or IDENTITY).strip().lower()
    if name not in ENCODINGS:
        detail = f"{content_encoding!r}: send one of {', '.join(ENCODINGS)}"
        raise ProblemError(Fault.UNKNOWN_TYPE, detail[:300], field="Content-Encoding")
    return name


def decompress(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """The body as it was before it was compressed.

    Args:
        body: as it was sent.
        encoding: of `ENCODINGS`.
        limit_bytes: the result has at most so many.

    Raises:
        ProblemError: if it is larger, cut off, followed by something else, or not in this encoding.
    """
    if encoding == GZIP:
        return _gunzip(body, limit_bytes)
    if encoding == ZSTD:
        return _unzstd(body, limit_bytes)
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    stream = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        out = stream.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise _malformed(GZIP, str(error)) from error
    if len(out) > limit_bytes:
        raise _too_large(limit_bytes)
    if not stream.eof or stream.unused_data:
        raise _malformed(GZIP, "something follows its end" if stream.eof else "it is cut off")
    return out


def _unzstd(body: bytes, limit_bytes: int) -> bytes:
    stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    try:
        # The size that a frame declares is allocated at once, so it is looked at first.
        if zstandard.frame_content_size(body) > limit_bytes:
            raise _too_large(limit_bytes)
        return stream.decompress(body, max_output_size=limit_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        if _holds_more(stream, body, limit_bytes):
            raise _too_large(limit_bytes) from error
        raise _malformed(ZSTD, str(error)) from error


def _holds_more(stream: zstandard.ZstdDecompressor, body: bytes, limit_bytes: int) -> bool:
    """Whether a frame of undeclared size is too large: the library's error is the same as for one that is cut off."""
    count = 0
    try:
        with stream.stream_reader(io.BytesIO(body)) as reader:
            while count <= limit_bytes and (piece := reader.read(_STEP_BYTES)):
                count += len(piece)
    except zstandard.ZstdError:
        return False
    return count > limit_bytes


def _too_large(limit_bytes: int) -> ProblemError:
    return ProblemError(Fault.TOO_LARGE, f"the decompressed body has over {limit_bytes} bytes")


def _malformed(encoding: str, why: str) -> ProblemError:
    return ProblemError(Fault.MALFORMED_BODY, f"the body is not one {encoding} stream: {why}"[:300])
