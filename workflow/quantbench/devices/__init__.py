"""GPUs: which this process may use, who else uses them, and leases that hold some of them alone."""

from .inventory import foreign_processes, smallest_memory_gib, stand_ins, visible_devices
from .leases import lease, lease_folder, lease_visible

__all__ = [
    "foreign_processes",
    "lease",
    "lease_folder",
    "lease_visible",
    "smallest_memory_gib",
    "stand_ins",
    "visible_devices",
]
