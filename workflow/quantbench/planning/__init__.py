"""What each cell asks of the machine, before anything is downloaded: GPUs, memory, disk, time (docs/hours.md).

GPUs and memory follow from the memory planner, times from what a GPU's data sheet says and what the paper measured.
No torch and no GPU are needed; Snakemake reads it while it builds its plan, so what is planned once is kept.
"""

from .gpus import GPUS, Gpu, nearest_gpu
from .hours import CellTime, RunHours, cell_time, run_hours
from .requests import CellRequest, Requests, gpus_asked_for
from .unfit import describe, fitting, remarks, unfit_cells
from .workload import CellWork, cell_work

__all__ = [
    "GPUS",
    "CellRequest",
    "CellTime",
    "CellWork",
    "Gpu",
    "Requests",
    "RunHours",
    "cell_time",
    "cell_work",
    "describe",
    "fitting",
    "gpus_asked_for",
    "nearest_gpu",
    "remarks",
    "run_hours",
    "unfit_cells",
]
