"""The settings a run's tables were made with, kept beside them."""

from __future__ import annotations

from typing import ClassVar

from ..config import RunConfig
from .contract import Contract


class RunSettings(RunConfig, Contract):
    """The run's configuration; what reads tables later needs no configuration file."""

    path: ClassVar[str] = "tables/configuration.json"
