"""Regenerates the code of the .proto files: `python -m schemas.proto.generate [--out DIR]`."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO_DIR = Path(str(files("schemas.proto")))
SOURCES = ("envelope.proto", "ingest.proto")


def generate(out_dir: Path) -> None:
    """Writes the _pb2.py and _pb2.pyi of every source into `out_dir`.

    Raises:
        RuntimeError: if protoc refuses a file.
    """
    status = protoc.main(["protoc", f"-I{PROTO_DIR}", f"--python_out={out_dir}", f"--pyi_out={out_dir}", *SOURCES])
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PROTO_DIR)
    generate(parser.parse_args().out)
