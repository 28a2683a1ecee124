"""Which model the jobs use: the settings' choice, checked against its card before anything starts."""

from __future__ import annotations

from jobs.runtime.settings import JobSettings
from models import load_card
from schemas.errors import SettingsError
from schemas.model_card import ModelCard

LATEST = "latest"


def chosen_card(settings: JobSettings) -> ModelCard:
    """The card of the model that the settings name.

    Raises:
        SettingsError: if the settings ask for another version than the installed one.
    """
    card = load_card(settings.scorer_model)
    if settings.model_version not in (LATEST, card.version):
        raise SettingsError(
            f"MODEL_VERSION={settings.model_version}: {card.name} is installed in version {card.version}"
        )
    return card
