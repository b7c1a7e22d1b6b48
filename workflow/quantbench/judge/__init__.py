"""Runs made elsewhere, judged as the pipeline judges its own: two runs of the same tasks in, difference, test, flips and verdict out.

Needs numpy, pandas and Jinja2.
"""

from .judged_effects import Flip, JudgedRow, flips, judge
from .outside_runs import read_run
from .outside_task import OutsideSample, OutsideTask, Wanted
from .pairing import PairedTask, pair_runs

__all__ = [
    "Flip",
    "JudgedRow",
    "OutsideSample",
    "OutsideTask",
    "PairedTask",
    "Wanted",
    "flips",
    "judge",
    "pair_runs",
    "read_run",
]
