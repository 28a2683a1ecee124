"""Which models the jobs use: the settings' choice, checked against the cards before anything starts."""

from __future__ import annotations

from jobs.runtime.settings import JobSettings
from models import load_card, model_names
from schemas.errors import SettingsError
from schemas.model_card import ModelCard
from schemas.sensors import Domain

LATEST = "latest"


def chosen_cards(settings: JobSettings) -> tuple[ModelCard, ...]:
    """The cards of the models that score: one of sessions, and those of windows.

    Raises:
        SettingsError: if the settings ask for another version of the session model than the installed one, or name a
            model in the wrong place.
    """
    card = load_card(settings.scorer_model)
    if settings.model_version not in (LATEST, card.version):
        raise SettingsError(
            f"MODEL_VERSION={settings.model_version}: {card.name} is installed in version {card.version}"
        )
    chosen = settings.window_models
    named = [load_card(name) for name in (model_names() if chosen is None else chosen)]
    if chosen is not None and (wrong := [each.name for each in named if each.window_s is None]):
        raise SettingsError(f"window_models={', '.join(wrong)}: scores sessions, not windows; set scorer_model")
    return card, *(each for each in named if each.window_s is not None)


def cards_of(domain: Domain, cards: tuple[ModelCard, ...]) -> tuple[ModelCard, ...]:
    """The cards of one domain."""
    return tuple(card for card in cards if card.domain is domain)
