"""The model card: what a model takes, gives, was made from and is worth. One JSON file beside each ONNX file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import BrainError
from schemas.feature_schema import feature_schema_hash
from schemas.sensors import Domain

_STRICT = ConfigDict(strict=True, extra="forbid")

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[int, Field(gt=0)]

UNSURE = "unsure"
"""The label of a row in which no class of a model of more than two is likely enough."""


class ModelCardError(BrainError):
    """A model card is malformed or contradicts itself; the message names every offending field."""


@dataclass(frozen=True, slots=True)
class CardFeature:
    """One model input.

    Attributes:
        name, unit: as declared in the domain's feature columns.
        required: a row without this feature is refused; a missing optional one is imputed inside the model.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Text
    unit: str
    required: bool


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure with its 95 % interval; both ends None where none was computed.

    Attributes:
        value: the figure.
        low, high: the interval.
        how: what was resampled or repeated, in words.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    value: Annotated[float, Field(allow_inf_nan=False)]
    low: float | None = None
    high: float | None = None
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Everything a user of the model must know.

    Attributes:
        name, version, domain: which model this is.
        window_s: the length of the feature windows that it takes; None takes whole sessions.
        features: the inputs in order.
        feature_schema_hash: `feature_schema_hash(features)`; a request that carries another is refused.
        onnx_sha256: of the bytes of the ONNX file, hex.
        threshold: of two labels, a score at or above it gets the second; of more, a score below it gets `UNSURE`.
            The alert threshold is a setting of the job.
        labels: one for each column of the model's probabilities. The score of two is the probability of the second,
            of more that of the likeliest.
        alerts: whether a score at the alert threshold rings.
        score_meaning: what the score is, in words.
        missing_values: the policy, in words.
        training_data: origin and content.
        subjects, records: how many, by group.
        split_protocol: how the figures were made.
        metrics, baselines: by name.
        limitations: what the model must not be used for, and why.
        libraries: versions it was made with.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Text
    version: Text
    domain: Domain
    window_s: Seconds | None = None
    features: Annotated[tuple[CardFeature, ...], Field(min_length=1)]
    feature_schema_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    onnx_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    threshold: Share
    labels: Annotated[tuple[Text, ...], Field(min_length=2)]
    alerts: bool = True
    score_meaning: Text
    missing_values: Text
    training_data: Text
    subjects: dict[str, int]
    records: dict[str, int]
    split_protocol: Text
    metrics: dict[str, Metric]
    limitations: Annotated[tuple[Text, ...], Field(min_length=1)]
    baselines: dict[str, Metric] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs' names in order."""
        return tuple(feature.name for feature in self.features)

    def to_json(self) -> str:
        """The card as JSON text, fields in declared order, ending with a line break."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> ModelCard:
        """Read a card strictly: unknown, missing, mistyped or contradicting fields raise `ModelCardError`."""
        try:
            card = _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise ModelCardError(_describe(error)) from error
        card.check()
        return card

    def check(self) -> None:
        """Raise `ModelCardError` when the fields contradict each other."""
        for field_name, names in (("features", self.feature_names), ("labels", (*self.labels, UNSURE))):
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                raise ModelCardError(f"model card {self.name}: {field_name}: repeated or reserved {repeated}")
        if self.feature_schema_hash != (expected := feature_schema_hash(self.features)):
            raise ModelCardError(
                f"model card {self.name}: feature_schema_hash: {self.feature_schema_hash}, its features give {expected}"
            )


def _describe(error: ValidationError) -> str:
    """Each offending field with its place and what is wrong."""
    places = [
        f"{'.'.join(str(part) for part in detail['loc']) or 'document'}: {detail['msg']}" for detail in error.errors()
    ]
    return "model card: " + "; ".join(places)


_ADAPTER = TypeAdapter(ModelCard)
