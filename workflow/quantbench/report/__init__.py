"""``report.html``: one self-contained page a run, for people. Needs tables and what cells left; no torch, no network."""

from .assembly import write_report

__all__ = ["write_report"]
