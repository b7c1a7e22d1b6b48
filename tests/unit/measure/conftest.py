"""The random model of the inference tests."""

from tests.unit.conftest import random_model

__all__ = ["random_model"]
