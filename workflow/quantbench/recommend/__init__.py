"""Tables and constraints -> ranked deployments: which model, at which precision, on one GPU, for one task. No torch."""

from .candidates import Candidate, CellEvidence, Evidence, Verdict
from .from_paper import PUBLISHED_RUN, published_evidence
from .from_run import measured_evidence
from .ranking import Constraints, Exclusion, Recommendation, recommend

__all__ = [
    "PUBLISHED_RUN",
    "Candidate",
    "CellEvidence",
    "Constraints",
    "Evidence",
    "Exclusion",
    "Recommendation",
    "Verdict",
    "measured_evidence",
    "published_evidence",
    "recommend",
]
