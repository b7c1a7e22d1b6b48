"""Recommend a model and precision for one task on one GPU, from a run's evidence or from the published Table 1.

  quantbench recommend --gpu-memory 24 --task named_entity_recognition --run published
  quantbench recommend --gpu-memory 80 --task question_answering --max-latency 1 --run results/paper
  quantbench recommend --gpu-memory 40 --run results/paper --format csv        every task, for programs

Memory is in GiB, latency the mean of single queries in seconds. Nothing is recommended from demonstration models or
random weights; where the evidence is inconclusive, the answer says so.

Exit status: 0 something is recommended for each task asked, 1 not, 2 bad input.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import layered, load
from ..contracts.recommendation_rows import RecommendationRow
from ..contracts.run_settings import RunSettings
from ..errors import DataError, FoundWanting
from ..recommend import PUBLISHED_RUN, Constraints, Evidence, published_evidence, recommend
from ..recommend.from_run import read_evidence
from ..recommend.words import as_text, rows
from ..tables.paper_rows import published_path
from . import options
from .argument_types import a_path
from .printing import write_records

PARENTS = (options.ROOT, options.FORMAT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--gpu-memory", required=True, type=float, metavar="GIB", help="memory of the one GPU, in GiB")
    parser.add_argument("--task", action="append", metavar="TASK", help="may be repeated (default: every task)")
    parser.add_argument("--max-latency", type=float, metavar="S", help="longest bearable mean of a query, in seconds")
    parser.add_argument(
        "--margin",
        type=float,
        metavar="X",
        help="losses against full precision that count as preserved (default: each dataset's own margin)",
    )
    parser.add_argument(
        "--run",
        type=a_path,
        default=PUBLISHED_RUN,
        metavar="RUN",
        help=f"a run's folder, or {PUBLISHED_RUN!r} for the paper's Table 1 (default)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the recommendations.

    Raises:
        ConfigError: constraints out of range.
        DataError: no such run or task, or malformed tables.
        FoundWanting: nothing can be recommended for a task (said after printing why).
    """
    limits = Constraints(arguments.gpu_memory, arguments.max_latency, arguments.margin)
    evidence = _evidence(options.root_of(arguments), str(arguments.run))
    found = [recommend(evidence, task, limits) for task in arguments.task or evidence.candidates]
    if arguments.format != "text":
        records = [row.values() for one in found for row in rows(one)]
        write_records(arguments.format, dict.fromkeys(RecommendationRow.model_fields), records)
    else:
        print("\n".join(as_text(one) for one in found), end="")
    refused = [one.task for one in found if one.best is None]
    if refused:
        raise FoundWanting(f"nothing can be recommended for {', '.join(refused)}")


def _evidence(root: Path, name: str) -> Evidence:
    if name == PUBLISHED_RUN:
        catalogue = load(root, layered(root), "config/config.yaml")
        return published_evidence(catalogue.vocabulary, published_path(catalogue.root))
    folder = Path(name)
    if not (folder / RunSettings.path).is_file():
        raise DataError(
            f"{folder}: no {RunSettings.path} there; run snakemake first, or ask with --run {PUBLISHED_RUN}"
        )
    return read_evidence(root, folder)
