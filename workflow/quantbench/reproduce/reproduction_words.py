"""A reproduction as text for a terminal, and as rows for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Literal

from ..tasks import metric, published_metric
from .beside_table1 import CellBeside
from .claims import Evidence
from .reproduction import PAPER, Reproduction

Part = Literal["departures", "cells", "figures", "claims"]
Value = str | int | float | None
_WIDTH = 120
COLUMNS: dict[Part, tuple[str, ...]] = {
    "departures": ("point", "paper", "run", "sureness"),
    "cells": (
        *("dataset", "model", "precision", "n", "published_metric", "published_score"),
        *(
            "score_as_published",
            "score_as_published_low",
            "score_as_published_high",
            "score_as_published_sd",
            "repeats",
        ),
        *("metric", "score", "score_low", "score_high", "score_sd"),
        *("difference", "difference_low", "difference_high", "answer_noise", "published_inside"),
        *("memory_gib", "published_memory_gib", "memory_ratio"),
        *("latency_s", "published_latency_s", "latency_ratio"),
    ),
    "figures": (
        *("figure", "title", "cells", "published", "measured", "compared", "inside"),
        *("can", "cannot"),
    ),
    "claims": ("claim", "source", "reading", "verdict", "speaks_for", "speaks_against", "undecided", "notes"),
}


def rows(found: Reproduction, part: Part) -> list[Sequence[Value]]:
    """The rows of one part, with a value for each of its :data:`COLUMNS`."""
    if part == "departures":
        return [(one.point, one.paper, one.run, one.sureness) for one in found.departures]
    if part == "cells":
        return [_cell_row(one) for one in found.cells]
    if part == "figures":
        return [tuple(getattr(one, column) for column in COLUMNS["figures"]) for one in found.figures]
    return [
        (finding.claim.words, finding.claim.source, reading, evidence.verdict, *_joined(evidence))
        for finding in found.findings
        for reading, evidence in finding.evidence.items()
    ]


def _joined(evidence: Evidence) -> list[str]:
    return [
        " ".join(sentences)
        for sentences in (evidence.speaks_for, evidence.speaks_against, evidence.undecided, evidence.notes)
    ]


def _cell_row(one: CellBeside) -> Sequence[Value]:
    row, published = one.row, one.published
    return (
        *(row.dataset, row.model, row.precision, row.n, row.published_metric, published.score if published else None),
        *(row.score_as_published, row.score_as_published_low, row.score_as_published_high, row.score_as_published_sd),
        row.repeats,
        *(row.metric, row.score, row.score_low, row.score_high, row.score_sd),
        *(one.difference, one.low, one.high, one.answer_noise, None if one.inside is None else str(one.inside).lower()),
        *(row.memory_gib, published.memory_gib if published else None, one.memory_ratio),
        *(row.latency_mean_s, published.latency_s if published else None, one.latency_ratio),
    )


def as_text(found: Reproduction, part: Part | None) -> str:
    """For a terminal: everything, or one part."""
    parts = {
        "departures": _departures,
        "cells": _cells,
        "figures": _figures,
        "claims": _claims,
    }
    chosen = [part] if part else list(parts)
    sections = ["\n".join(parts[name](found)) for name in chosen]
    return "\n\n".join([headline(found), *sections]) + "\n"


def headline(found: Reproduction) -> str:
    """How much of Table 1 the run has, in a sentence or two."""
    compared = found.compared
    if not compared:
        models = ", ".join(dict.fromkeys(one.row.title for one in found.cells)) or "none"
        said = (
            f"Run {found.run.run}: none of its cells is in the paper's Table 1 ({PAPER}), so no value of this run can be held "
            f"against a published one. Its zero-shot models: {models}."
        )
    else:
        said = f"Run {found.run.run}: {len(compared)} of the {found.published} cells of the paper's Table 1 ({PAPER}) are here."
        judged = [one for one in compared if one.inside is not None]
        if judged:
            inside = sum(one.inside is True for one in judged)
            said += f" Of {len(judged)} published scores, {inside} lie inside the interval of the difference."
    if not found.scored_as_published:
        said += (
            " Its cells have no score as published: the tables were made by an earlier version. Run snakemake with the run's "
            "configuration, which scores the same predictions again without a GPU."
        )
    return textwrap.fill(said, _WIDTH)


def _departures(found: Reproduction) -> list[str]:
    lines = ["What differs from the paper's run, as far as that is known:"]
    if not found.departures:
        lines.append("  nothing in settings, samples and hardware")
    for one in found.departures:
        who = "the paper" if one.sureness == "stated" else "its authors, probably"
        lines += _filled(f"{one.point}: {one.run} ({who}: {one.paper})")
    return lines


def _cells(found: Reproduction) -> list[str]:
    confidence = f"{found.run.comparison.confidence:.0%}"
    return _against_published(found.compared, confidence) if found.compared else _both_scorings(found.cells, confidence)


def _against_published(cells: Sequence[CellBeside], confidence: str) -> list[str]:
    header = (
        *("dataset", "model", "precision", "n", "published", "as published", "ours"),
        *("difference", "inside", "memory x", "latency x"),
    )
    table = [header]
    for one in cells:
        row = one.row
        table.append(
            (
                *(row.dataset_title, row.title, row.precision, f"{row.n:,}"),
                f"{one.published.score:.3f}" if one.published else "",
                _as_published(one),
                _score(row.score, row.score_low, row.score_high, row.score_sd),
                _interval(one.difference, one.low, one.high, "+.3f"),
                {True: "yes", False: "no", None: ""}[one.inside],
                f"{one.memory_ratio:.2f}" if one.memory_ratio is not None else "",
                f"{one.latency_ratio:.2f}" if one.latency_ratio is not None else "",
            )
        )
    notes = [
        f"published: Table 1. as published: our answers scored by the convention of its task ({_conventions(cells)}). ours: our own "
        f"scoring ({_metrics(cells)}). Intervals of {confidence}; ± is the standard deviation over repeats of sampled answers.",
        "difference: as published minus published, with the interval that chance allows were both runs the same: of the items that "
        f"were left out, and of sampling answers in both runs{_noise_words(cells)}. inside: the interval holds 0.",
        "memory x, latency x: to the published value.",
    ]
    return ["Table 1:", *_aligned(table, 3), *(line for note in notes for line in _filled(note))]


def _both_scorings(cells: Sequence[CellBeside], confidence: str) -> list[str]:
    header = ("dataset", "model", "precision", "scored as published", "our metric", "n", "as published", "ours")
    table = [
        header,
        *(
            (
                *(one.row.dataset_title, one.row.title, one.row.precision),
                *(_title(one.row.published_metric), metric(one.row.metric).title, f"{one.row.n:,}"),
                _as_published(one),
                _score(one.row.score, one.row.score_low, one.row.score_high, one.row.score_sd),
            )
            for one in cells
        ),
    ]
    note = f"The same answers under both scorings, with intervals of {confidence}."
    return ["Both scorings of this run:", *_aligned(table, 5), *_filled(note)]


def _figures(found: Reproduction) -> list[str]:
    lines = ["The paper's figures:"]
    for one in found.figures:
        lines += _filled(
            f"{one.figure}, {one.title}: {one.published} of its {one.cells} cells are published as numbers."
        )
        lines += _filled(one.can, "      can: ") if one.can else []
        lines += _filled(one.cannot, "      cannot: ") if one.cannot else []
    return lines


def _claims(found: Reproduction) -> list[str]:
    lines = ["The paper's claims, in our words:"]
    for finding in found.findings:
        lines += _filled(f"{finding.claim.words} ({finding.claim.source})", "  - ")
        for reading, evidence in finding.evidence.items():
            lines += _filled(f"{reading}: {evidence.verdict}", "      ")
            lines += _sentences(evidence)
    return lines


def _sentences(evidence: Evidence) -> Iterator[str]:
    kinds = (
        ("for: ", evidence.speaks_for),
        ("against: ", evidence.speaks_against),
        ("open: ", evidence.undecided),
        ("", evidence.notes),
    )
    for word, sentences in kinds:
        for sentence in sentences:
            yield from _filled(word + sentence, "        ")


def _as_published(one: CellBeside) -> str:
    row = one.row
    return _score(
        row.score_as_published, row.score_as_published_low, row.score_as_published_high, row.score_as_published_sd
    )


def _score(value: float | None, low: float | None, high: float | None, sd: float | None) -> str:
    return _interval(value, low, high, ".3f") + (f" ± {sd:.3f}" if value is not None and sd is not None else "")


def _interval(value: float | None, low: float | None, high: float | None, style: str) -> str:
    if value is None:
        return ""
    ends = "" if low is None or high is None else f" [{low:{style}}, {high:{style}}]"
    return f"{value:{style}}{ends}"


def _conventions(cells: Sequence[CellBeside]) -> str:
    return "; ".join(dict.fromkeys(_title(one.row.published_metric) for one in cells if one.row.published_metric))


def _metrics(cells: Sequence[CellBeside]) -> str:
    return "; ".join(dict.fromkeys(metric(one.row.metric).title for one in cells))


def _title(name: str | None) -> str:
    return "" if name is None else published_metric(name).title


def _noise_words(cells: Sequence[CellBeside]) -> str:
    kinds = {one.answer_noise for one in cells} - {None}
    if kinds == {"measured"}:
        return ", the latter measured by this run's repeats"
    if kinds == {"bounded"}:
        return ", the latter bounded by the bootstrap, since this run has no repeats"
    return ", the latter measured by repeats where this run has some and bounded by the bootstrap elsewhere"


def _filled(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=" " * (len(indent) + 2))


def _aligned(table: Sequence[Sequence[str]], names: int) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  "
        + "  ".join(
            text.ljust(width) if place < names else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    ]
