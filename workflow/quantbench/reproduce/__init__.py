"""A run beside the published paper (arXiv 2509.04534): its cells, figures and claims, each with the evidence. No torch."""

from .beside_table1 import CellBeside
from .claims import Claim, Evidence
from .differences import AnswerNoise, difference_interval, pooled_noise
from .readings import Pair, ReadCell, Reading
from .reproduction import Finding, Reproduction, reproduce

__all__ = [
    "AnswerNoise",
    "CellBeside",
    "Claim",
    "Evidence",
    "Finding",
    "Pair",
    "ReadCell",
    "Reading",
    "Reproduction",
    "difference_interval",
    "pooled_noise",
    "reproduce",
]
