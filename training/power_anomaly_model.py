"""The power anomaly model: how unlikely a window is under a mixture of usual states, as a share of usual days' windows.

    t = log(max(0, x M) + offset)                  x: the inputs; M keeps them and adds the spreads of U and P
    surprise = -log sum_k w_k N((t - m) / s; mu_k, Sigma_k)
    score = (calibration windows with less surprise) / (their number + 1)

On days like those of the calibration, a share of 1 - c of the windows has a score of c or more: the split-conformal
p-value (Vovk, Gammerman & Shafer 2005) is 1 - score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.mixture import GaussianMixture

from training.export import INPUT_NAME, OPSET, PRODUCER
from training.power_anomaly_windows import FloatArray, WindowTable
from training.tuning import SEED
from udfs.scorer import PROBABILITIES

INPUTS = (
    "volt_rms_l1_volt",
    "volt_half_cycle_min_volt",
    "volt_half_cycle_max_volt",
    "amp_rms_l1_ampere",
    "amp_half_cycle_max_ampere",
    "active_power_total_watt",
    "apparent_power_total_va",
    "watt_max_watt",
    "base_load_watt",
)
"""Level and spread of voltage, current and power. All are the same whether the readings come evenly or at any times,
and none depends on the declared voltage."""
SPREADS = (("volt_half_cycle_max_volt", "volt_half_cycle_min_volt"), ("watt_max_watt", "base_load_watt"))
_OFFSETS = {"_volt": 1.0, "_ampere": 0.2, "_watt": 20.0, "_va": 20.0}
_SPREAD_OFFSETS = (0.1, 20.0)
"""What is added before the logarithm, about the resolution of such a meter: 0.2 A, 20 W, 0.1 V of spread. Below it,
differences mean nothing."""

STATES = (1, 2, 4, 8, 12, 16)
"""How many normal distributions the mixture may have; chosen inside the training days."""
MIN_VARIANCE = 0.01
"""Of the standardised logarithms: readings in steps must not make needles of probability."""
FOLDS = 4
SURPRISE = "surprise"


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual: `mean`, `scale` [d] of the logarithms and the fitted mixture of the standardised ones."""

    mean: FloatArray
    scale: FloatArray
    mixture: GaussianMixture

    def surprise(self, features: FloatArray) -> FloatArray:
        """Negative log-likelihood of each row of [r, k], shape [r]."""
        return -np.asarray(self.mixture.score_samples((logarithms(features) - self.mean) / self.scale))


def spread_matrix() -> FloatArray:
    """M, shape [k, d]: the inputs themselves, then the spreads."""
    spreads = np.zeros((len(INPUTS), len(SPREADS)))
    for column, (high, low) in enumerate(SPREADS):
        spreads[INPUTS.index(high), column], spreads[INPUTS.index(low), column] = 1.0, -1.0
    return np.hstack([np.eye(len(INPUTS)), spreads])


def log_offsets() -> FloatArray:
    """What is added to each column before the logarithm, shape [d]."""
    return np.array([*(_OFFSETS[name[name.rindex("_") :]] for name in INPUTS), *_SPREAD_OFFSETS])


def logarithms(features: FloatArray) -> FloatArray:
    """log(max(0, x M) + offset) of [r, k], shape [r, d]. Ratios, such as P to U I, are then differences."""
    return np.asarray(np.log(np.maximum(features @ spread_matrix(), 0.0) + log_offsets()))


def fit(features: FloatArray, states: int) -> Usual:
    """The mixture of so many normal distributions that fits the rows [r, k]."""
    found = logarithms(features)
    mean, scale = found.mean(axis=0), np.maximum(found.std(axis=0), 1e-6)
    mixture = GaussianMixture(states, reg_covar=MIN_VARIANCE, n_init=2, max_iter=300, random_state=SEED)
    return Usual(mean, scale, mixture.fit((found - mean) / scale))


def choose_states(table: WindowTable) -> int:
    """The number of states under which left-out days are likeliest; a day is never on both sides.

    Each fold leaves out every fourth day. The likelihood is that of the logarithms, without standardisation, so that
    folds and numbers of states compare.
    """
    likelihood = {}
    for states in STATES:
        logs = []
        for fold in range(FOLDS):
            left_out = table.days % FOLDS == fold
            usual = fit(table.features[~left_out], states)
            logs.append(-usual.surprise(table.features[left_out]) - np.sum(np.log(usual.scale)))
        likelihood[states] = float(np.mean(np.concatenate(logs)))
    return max(STATES, key=lambda states: likelihood[states])


def surprise_graph(usual: Usual) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Nodes and constants from the input to `surprise` [m, 1]; in double precision inside."""
    mixture = usual.mixture
    roots = mixture.precisions_cholesky_
    width = usual.mean.size
    log_det = np.sum(np.log(np.diagonal(roots, axis1=1, axis2=2)), axis=1)
    constants = {
        "spreads": spread_matrix(),
        "zero": np.zeros(1),
        "offsets": log_offsets(),
        "mean": usual.mean,
        "scale": usual.scale,
        # All states side by side: (z - mu_k) R_k = z R_k - mu_k R_k.
        "roots": np.concatenate(list(roots), axis=1),
        "centres": np.concatenate([centre @ root for centre, root in zip(mixture.means_, roots, strict=True)]),
        "by_state": np.array([-1, len(roots), width], dtype=np.int64),
        "half": np.array([-0.5]),
        "log_weights": np.log(mixture.weights_) + log_det - 0.5 * width * np.log(2.0 * np.pi),
    }
    node = helper.make_node
    nodes = [
        node("Cast", [INPUT_NAME], ["x"], to=TensorProto.DOUBLE),
        node("MatMul", ["x", "spreads"], ["with_spreads"]),
        node("Max", ["with_spreads", "zero"], ["not_negative"]),
        node("Add", ["not_negative", "offsets"], ["with_offsets"]),
        node("Log", ["with_offsets"], ["logarithms"]),
        node("Sub", ["logarithms", "mean"], ["centred"]),
        node("Div", ["centred", "scale"], ["z"]),
        node("MatMul", ["z", "roots"], ["z_roots"]),
        node("Sub", ["z_roots", "centres"], ["whitened_flat"]),
        node("Reshape", ["whitened_flat", "by_state"], ["whitened"]),
        node("ReduceSumSquare", ["whitened"], ["distances"], axes=[2], keepdims=0),
        node("Mul", ["distances", "half"], ["exponents"]),
        node("Add", ["exponents", "log_weights"], ["log_shares"]),
        node("ReduceLogSumExp", ["log_shares"], ["log_likelihood"], axes=[1], keepdims=1),
        node("Neg", ["log_likelihood"], [SURPRISE]),
    ]
    return nodes, [numpy_helper.from_array(value, name) for name, value in constants.items()]


def export(usual: Usual, calibration_surprise: FloatArray, *, name: str) -> bytes:
    """The model as ONNX: input `features` [m, k] float, outputs `probabilities` [m, 2] = [1 - s, s] and `surprise`.

    Args:
        usual: the fitted model.
        calibration_surprise: shape [c], of the calibration windows.
        name: of the graph.
    """
    nodes, constants = surprise_graph(usual)
    knots = np.sort(calibration_surprise)[np.newaxis]
    constants += [
        numpy_helper.from_array(knots, "calibration"),
        numpy_helper.from_array(np.array([knots.size + 1.0]), "out_of"),
        numpy_helper.from_array(np.array([1.0]), "one"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
    ]
    node = helper.make_node
    nodes += [
        node("Less", ["calibration", SURPRISE], ["less"]),
        node("Cast", ["less"], ["less_count"], to=TensorProto.DOUBLE),
        node("ReduceSum", ["less_count", "axis"], ["rank"], keepdims=1),
        node("Div", ["rank", "out_of"], ["score"]),
        node("Sub", ["one", "score"], ["usual"]),
        node("Concat", ["usual", "score"], ["pair"], axis=1),
        node("Cast", ["pair"], [PROBABILITIES], to=TensorProto.FLOAT),
    ]
    outputs = [
        helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info(SURPRISE, TensorProto.DOUBLE, [None, 1]),
    ]
    inputs = [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, [None, len(INPUTS)])]
    opset = [helper.make_opsetid("", OPSET[""])]
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    # Version 8 of the file format goes with opset 17.
    proto = helper.make_model(graph, producer_name=PRODUCER, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)


def surprises_of(onnx_bytes: bytes, features: FloatArray) -> FloatArray:
    """The surprise that an exported model gives each row of [r, k], shape [r]."""
    session = onnxruntime.InferenceSession(onnx_bytes, providers=["CPUExecutionProvider"])
    found = session.run([SURPRISE], {INPUT_NAME: features.astype(np.float32)})[0]
    return np.asarray(found[:, 0], dtype=np.float64)
