"""What every training program does: read arguments, train on one thread, write model and card, print the figures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from threadpoolctl import threadpool_limits

from schemas.model_card import ModelCard

ROOT = Path(__file__).resolve().parents[1]
_LIBRARIES = ("numpy", "scikit-learn", "skl2onnx", "onnx", "onnxruntime")

Train = Callable[[Path], tuple[ModelCard, bytes]]


def run_training(train: Train, *, program: str, about: str, data: str) -> None:
    """Train on one thread, because a sum then has one order, and write the model.

    Args:
        train: makes card and ONNX bytes from the recordings in a folder.
        program: its name on the command line.
        about: one line of help.
        data: where the recordings lie inside BRAIN_DATA.
    """
    recordings = Path(os.environ.get("BRAIN_DATA", ROOT.parent / "shared" / "data")) / data
    parser = argparse.ArgumentParser(prog=program, description=about)
    parser.add_argument("--data", type=Path, default=recordings, help="folder with the recordings")
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder for the .onnx and .json file")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        card, onnx_bytes = train(arguments.data)
    write(card, onnx_bytes, arguments.out)
    for name, metric in {**card.metrics, **card.baselines}.items():
        interval = "" if metric.low is None or metric.high is None else f"  [{metric.low:.3f}, {metric.high:.3f}]"
        print(f"{name:36} {metric.value:.3f}{interval}")
    print(f"{card.name} {card.version} threshold {card.threshold} sha256 {card.onnx_sha256}")


def write(card: ModelCard, onnx_bytes: bytes, out: Path) -> None:
    """Write model and card side by side."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{card.name}.onnx").write_bytes(onnx_bytes)
    (out / f"{card.name}.json").write_text(card.to_json(), encoding="ascii")


def library_versions() -> dict[str, str]:
    """The versions that the bytes of a model depend on."""
    return {library: version(library) for library in _LIBRARIES}
