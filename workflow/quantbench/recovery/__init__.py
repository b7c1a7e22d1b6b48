"""Going on after a kill: what a process left in the working directory that ended without tidying up."""

from .lock_signature import sign_locks
from .stale_locks import clear_stale_locks

__all__ = ["clear_stale_locks", "sign_locks"]
