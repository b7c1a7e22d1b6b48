"""GPUs: which this process may use, who else uses them, and leases that hold some of them alone."""

from .inventory import SeenGpus, foreign_processes, seen_gpus, stand_ins, visible_devices
from .leases import lease, lease_folder, lease_visible

__all__ = [
    "SeenGpus",
    "foreign_processes",
    "lease",
    "lease_folder",
    "lease_visible",
    "seen_gpus",
    "stand_ins",
    "visible_devices",
]
