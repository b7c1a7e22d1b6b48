"""The memory planner: what a model needs at a precision, from architecture facts alone (PROTOCOL, section 6).

No weights, no torch and no GPU are needed. ``docs/memory.md`` explains the terms and holds them against measured figures.
"""

from .fitting import gpus_needed
from .plan import Plan, plan_memory
from .setting import INSTALLED, PUBLISHED, Libraries, Setting, Workload
from .weights import GIB, bytes_per_weight, linear_weights, weight_bytes

__all__ = [
    "GIB",
    "INSTALLED",
    "PUBLISHED",
    "Libraries",
    "Plan",
    "Setting",
    "Workload",
    "bytes_per_weight",
    "gpus_needed",
    "linear_weights",
    "plan_memory",
    "weight_bytes",
]
