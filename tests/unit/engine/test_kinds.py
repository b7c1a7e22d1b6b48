"""Engines are found by their names alone."""

from __future__ import annotations

from typing import get_args

from quantbench.config.run import InferenceSettings
from quantbench.engine.kinds import engine_names, find_engine


def test_the_configuration_takes_the_name_of_every_engine_and_no_other() -> None:
    assert set(get_args(InferenceSettings.model_fields["engine"].annotation)) == set(engine_names())


def test_each_engine_answers() -> None:
    assert all(callable(find_engine(name).answer) for name in engine_names())
