"""The random model of the inference tests."""

from tests.unit.inference.conftest import random_model

__all__ = ["random_model"]
