"""Going on after a kill: what a process left in the working directory that ended without tidying up."""

from .file_locks import held, try_lock, user_folder
from .lock_signature import sign_locks, sign_when_locked
from .stale_locks import clear_stale_locks

__all__ = ["clear_stale_locks", "held", "sign_locks", "sign_when_locked", "try_lock", "user_folder"]
