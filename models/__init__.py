"""The models that the jobs score with: one ONNX file and one card each, read from the installed package."""

from __future__ import annotations

from importlib import resources

from schemas.errors import BrainError
from schemas.model_card import ModelCard


class UnknownModelError(BrainError):
    """No model of this name is packed; the message lists those that are."""


def model_names() -> tuple[str, ...]:
    """The names of all packed models, sorted."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".onnx") for name in files if name.endswith(".onnx")))


def load_card(name: str) -> ModelCard:
    """The card of a packed model, e.g. `load_card("gait_parkinson_v1")`.

    Raises:
        UnknownModelError: no such model.
        ModelCardError: the card is malformed.
    """
    return ModelCard.from_json(_read(name, ".json"))


def load_onnx(name: str) -> bytes:
    """The ONNX bytes of a packed model. Raises `UnknownModelError` when there is none."""
    return _read(name, ".onnx")


def _read(name: str, suffix: str) -> bytes:
    # Names come from settings and messages: only a listed one may reach the file system.
    if name not in model_names():
        raise UnknownModelError(f"model {name!r}: not among {', '.join(model_names()) or 'none'}")
    return (resources.files(__name__) / f"{name}{suffix}").read_bytes()
