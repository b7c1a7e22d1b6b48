"""``report.html``: one self-contained page a run, for people. Needs tables and what cells left; no torch, no network."""

from .assembly import write_report
from .prompt_parts import PromptSource

__all__ = ["PromptSource", "write_report"]
