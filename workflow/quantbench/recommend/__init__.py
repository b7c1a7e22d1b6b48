"""Tables and constraints -> ranked deployments: which model, at which precision, on one GPU, for one task. No torch."""

from .candidates import Candidate, CellEvidence, Evidence, Verdict
from .choice import Constraints, Exclusion, Recommendation, recommend
from .measured import measured_evidence
from .published import PUBLISHED_RUN, published_evidence

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
