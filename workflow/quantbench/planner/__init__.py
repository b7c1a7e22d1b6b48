"""What fits where and how long it takes, before anything is downloaded: memory, GPUs, disk, hours.

Memory follows from architecture facts alone (docs/protocol.md#memory-planner; docs/memory.md explains the terms), times from what a
GPU's data sheet says and what the paper measured (docs/hours.md). No weights, no torch and no GPU are needed; Snakemake
reads it while it builds its plan, so what is planned once is kept.
"""

from .fitting import gpus_needed
from .gpus import GPUS, Gpu, nearest_gpu
from .hours import CellTime, RunHours, cell_time, run_hours
from .job_resources import CellRequest, Requests, cell_setting, checkpoint_mb, gpus_asked_for
from .memory_plan import DevicePlan, Plan, plan_memory
from .placement import Placement, place
from .setting import INSTALLED, PUBLISHED, Libraries, Setting, Workload
from .unfit import describe, fitting, remarks, unfit_cells
from .weight_bytes import GIB, bytes_per_weight, weight_bytes
from .workload import CellWork, cell_work

__all__ = [
    "GIB",
    "GPUS",
    "INSTALLED",
    "PUBLISHED",
    "CellRequest",
    "CellTime",
    "CellWork",
    "DevicePlan",
    "Gpu",
    "Libraries",
    "Placement",
    "Plan",
    "Requests",
    "RunHours",
    "Setting",
    "Workload",
    "bytes_per_weight",
    "cell_setting",
    "cell_time",
    "cell_work",
    "checkpoint_mb",
    "describe",
    "fitting",
    "gpus_asked_for",
    "gpus_needed",
    "nearest_gpu",
    "place",
    "plan_memory",
    "remarks",
    "run_hours",
    "unfit_cells",
    "weight_bytes",
]
