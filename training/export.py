"""From a trained scikit-learn model to ONNX bytes that depend on the model alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline

from schemas.errors import BrainError

OPSET = {"": 17, "ai.onnx.ml": 3}
INPUT_NAME = "features"
PRODUCER = "iot-brain training"
TOLERANCE = 1e-5


class ExportError(BrainError):
    """The exported model does not give the scores of the trained one."""


def to_onnx(model: Pipeline, *, name: str, feature_count: int) -> bytes:
    """Convert to ONNX: one float input `features` [m, k], outputs `label` and `probabilities` [m, 2].

    Everything that names a tool, its version or a time is replaced, so the same training gives the same bytes.
    """
    proto: ModelProto = convert_sklearn(
        model,
        name=name,
        initial_types=[(INPUT_NAME, FloatTensorType([None, feature_count]))],
        options={id(model): {"zipmap": False}},
        target_opset=OPSET,
    )
    proto.producer_name, proto.producer_version = PRODUCER, ""
    proto.doc_string, proto.domain, proto.model_version = "", "", 0
    proto.graph.doc_string = ""
    used = {name for node in proto.graph.node for name in node.input}
    for unused in [each for each in proto.graph.initializer if each.name not in used]:
        proto.graph.initializer.remove(unused)
    return proto.SerializeToString(deterministic=True)


def check_agreement(scores: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """The largest difference between exported and trained scores.

    Raises:
        ExportError: it exceeds 1e-5.
    """
    worst = float(np.max(np.abs(scores - expected)))
    if not worst <= TOLERANCE:
        raise ExportError(f"exported scores differ by up to {worst:g}, allowed {TOLERANCE:g}")
    return worst
