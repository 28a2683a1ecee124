"""Appliance from one cycle of voltage and current: `python -m training.appliance`.

Reads the PLAID events, measures the model by nested cross-validation that keeps near-copies together, trains it on
every event and writes `appliance_cycle_v1.onnx` with its card. The same data, code and library versions give the same
bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from schemas.errors import RecordingError
from schemas.model_card import ModelCard
from training.appliance_card import Training, describe
from training.appliance_events import SAME_BELOW, build_table, near_copies, read_events
from training.appliance_figures import OTHER_THRESHOLDS, VOLTAGE_INPUTS, baseline_metrics, model_metrics
from training.appliance_model import INPUTS, choose, export, fit, name_rows
from training.command import run_training
from training.export import check_agreement
from training.tuning import SEED
from udfs.scorer import Scorer

NAME = "appliance_cycle_v1"
VERSION = "1.0.0"


def train(data: Path) -> tuple[ModelCard, bytes]:
    """Measure, train, export and describe the model from the archive in the folder `data`.

    Raises:
        RecordingError: the data is not as described, or an event lacks an input.
        ExportError: the exported model does not give the trained one's scores.
    """
    events = read_events(data)
    everything = build_table(events)
    table = everything.columns(INPUTS)
    if (lacking := np.flatnonzero(~np.isfinite(table.features).all(axis=1))).size:
        raise RecordingError(f"{data}: events {lacking.tolist()} lack an input of the model")
    groups_at = {threshold: near_copies(events, threshold) for threshold in (SAME_BELOW, *OTHER_THRESHOLDS)}
    groups = groups_at[SAME_BELOW]
    per_split, threshold = choose(table, groups, seed=SEED)
    model = fit(per_split, table)
    onnx_bytes = export(model, name=NAME)
    card = describe(
        Training(
            name=NAME,
            version=VERSION,
            onnx_bytes=onnx_bytes,
            per_split=per_split,
            threshold=threshold,
            table=table,
            groups=groups,
            metrics=model_metrics(table, groups_at),
            baselines=baseline_metrics(table, everything.columns(VOLTAGE_INPUTS), groups),
        )
    )
    check_agreement(Scorer.load(onnx_bytes, card).score(table.features), name_rows(model, table)[1])
    return card, onnx_bytes


def main() -> None:
    """Train and write the model."""
    about = (__doc__ or "").splitlines()[0]
    run_training(train, program="python -m training.appliance", about=about, data="power/plaid")


if __name__ == "__main__":
    main()
