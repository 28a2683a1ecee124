"""Score feature rows with an ONNX model, under the terms of its card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from schemas.errors import BrainError, InvalidMessage, Reason
from schemas.model_card import UNSURE, ModelCard

FloatArray = NDArray[np.float64]
FloatType = type[np.float32] | type[np.float64]

PROBABILITIES = "probabilities"
_CPU = ["CPUExecutionProvider"]
_INPUT_TYPES: dict[str, FloatType] = {"tensor(float)": np.float32, "tensor(double)": np.float64}


class ModelMismatchError(BrainError):
    """The ONNX file is not the one that its card describes."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A loaded model. Build it with `load`; it holds no state between calls and may serve many batches."""

    card: ModelCard
    _session: onnxruntime.InferenceSession
    _input_name: str
    _input_type: FloatType

    @classmethod
    def load(cls, onnx_bytes: bytes, card: ModelCard) -> Scorer:
        """Load a model and hold it against its card.

        Raises:
            ModelMismatchError: another hash, another number of inputs, or not one probability for each label.
        """
        digest = hashlib.sha256(onnx_bytes).hexdigest()
        if digest != card.onnx_sha256:
            raise ModelMismatchError(f"{card.name}: onnx_sha256 is {digest}, the card says {card.onnx_sha256}")
        session = _open_session(onnx_bytes, card.name)
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in _INPUT_TYPES:
            found = [(each.name, each.type) for each in inputs]
            raise ModelMismatchError(f"{card.name}: inputs {found}, want one of floats")
        if list(inputs[0].shape[1:]) != [len(card.features)]:
            width = len(card.features)
            raise ModelMismatchError(f"{card.name}: input {inputs[0].shape}, the card has {width} features")
        if PROBABILITIES not in [output.name for output in session.get_outputs()]:
            raise ModelMismatchError(f"{card.name}: no output {PROBABILITIES!r}")
        scorer = cls(card, session, inputs[0].name, _INPUT_TYPES[inputs[0].type])
        # The file need not declare the output's width, so one row is tried.
        shape = scorer._run(np.zeros((1, len(card.features)))).shape
        if shape != (1, len(card.labels)):
            raise ModelMismatchError(f"{card.name}: probabilities {shape}, the card has {len(card.labels)} labels")
        return scorer

    def score(self, features: FloatArray) -> FloatArray:
        """The score of each row: of two labels the probability of the second, of more that of the likeliest.

        Args:
            features: shape [m, k] in the card's order, NaN where missing.

        Returns:
            Shape [m]; NaN for a row that is refused (`refusals` says why).

        Raises:
            InvalidMessage: the width is not the card's.
        """
        return self.labelled(features)[0]

    def labelled(self, features: FloatArray) -> tuple[FloatArray, list[str]]:
        """Scores as of `score`, and the label of each; "" where the score is missing."""
        probabilities = self._probabilities(features)
        labels = self.card.labels
        if len(labels) == 2:
            scores, best = probabilities[:, 1], np.ones(len(probabilities), dtype=np.intp)
        else:
            scores, best = np.max(probabilities, axis=1), np.argmax(probabilities, axis=1)
        otherwise = labels[0] if len(labels) == 2 else UNSURE
        chosen = [
            labels[place] if reached else otherwise
            for place, reached in zip(best.tolist(), scores >= self.card.threshold, strict=True)
        ]
        return scores, ["" if missing else label for missing, label in zip(np.isnan(scores), chosen, strict=True)]

    def refusals(self, features: FloatArray) -> list[str]:
        """Why each row of [m, k] is refused: "" when it is scored, else the first missing required feature."""
        self._check_width(features)
        unusable = self._unusable(features)
        return [
            f"missing_feature:{self.card.features[int(np.argmax(row))].name}" if row.any() else "" for row in unusable
        ]

    def _probabilities(self, features: FloatArray) -> FloatArray:
        """Shape [m, labels]; NaN for a row that is refused.

        Rows go through the runtime one at a time: its kernels choose another summation order for another batch size,
        and a score must not depend on its neighbours. Cost: some 20 us a row, against milliseconds for its features.
        """
        self._check_width(features)
        probabilities = np.full((features.shape[0], len(self.card.labels)), np.nan)
        for row in np.flatnonzero(self._scorable(features)):
            probabilities[row] = self._run(features[row : row + 1])[0]
        return probabilities

    def _run(self, rows: FloatArray) -> FloatArray:
        feed = {self._input_name: rows.astype(self._input_type)}
        return np.asarray(self._session.run([PROBABILITIES], feed)[0], dtype=np.float64)

    def _scorable(self, features: FloatArray) -> NDArray[np.bool_]:
        return np.asarray(~np.any(self._unusable(features), axis=1))

    def _unusable(self, features: FloatArray) -> NDArray[np.bool_]:
        """Where a value forbids a score: a required one that is missing, or any that is infinite."""
        required = np.array([feature.required for feature in self.card.features])
        return np.asarray(np.isinf(features) | (np.isnan(features) & required))

    def _check_width(self, features: FloatArray) -> None:
        if features.ndim != 2 or features.shape[1] != len(self.card.features):
            detail = f"{self.card.name} takes [m, {len(self.card.features)}], got {list(features.shape)}"
            raise InvalidMessage(Reason.FEATURE_SCHEMA_MISMATCH, detail)


def _open_session(onnx_bytes: bytes, name: str) -> onnxruntime.InferenceSession:
    """One thread: a worker has one slot, and the order of sums must not change from run to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(onnx_bytes, options, providers=_CPU)
    except Exception as error:  # the runtime's own errors share no base class
        raise ModelMismatchError(f"{name}: not a loadable ONNX model: {error}") from error
