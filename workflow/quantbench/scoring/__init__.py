"""From predictions and gold answers to ``scored.jsonl`` and ``scores.json``. Needs no torch."""

from .predictions_and_gold import Outputs, is_cut, match_gold
from .scored_files import changed_words, judged_cell, origin_of, score_cell, score_file, score_predictions

__all__ = [
    "Outputs",
    "changed_words",
    "is_cut",
    "judged_cell",
    "match_gold",
    "origin_of",
    "score_cell",
    "score_file",
    "score_predictions",
]
