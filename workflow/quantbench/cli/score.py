"""Score predictions against gold answers: writes scored.jsonl and scores.json.

The predictions file holds one JSON object a line with at least

  {"sample_id": "0", "outputs": ["the raw text of the model"]}

What it says besides counts where it is known: "finish_reason": ["length"] marks an output that was cut at its token limit.
Outputs of a chain of thought are read from their end, so say --prompting cot (or self_consistency). Thoughts of reasoning
models are never answers: the usual markers (<think> and others) are found in any output, others are named by --reasoning,
or taken from the entry of --model. Where a chat template opened the thought, put that marker before the output.

The gold file is a samples.jsonl of a run, or any split of the dataset in its own format. In a published file the
sample id is the 0-based number of the record (header not counted) as text; in the token-tag files of bc5cdr_chemical and
ncbi_disease, the 0-based number of the sentence. Several outputs of one sample are answered by majority vote.

Beside our score stands the one "as published": the same outputs read and scored as the authors of arXiv 2509.04534 probably
did, named for what it measures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from ..config import Prompts, Reasoning, load_datasets, load_models, reasons_first
from ..config.reasoning import StatedReasoning
from ..config.settings import Settings, parse
from ..config.vocabulary import PROMPTINGS
from ..contracts.scores import PublishedScore, Scores
from ..errors import ConfigError, nearest
from ..privacy.owner_only import FILE
from ..scoring import changed_words, score_file
from ..statistics import Bootstrap
from ..tasks import published_metric
from ..tasks.origin import Origin
from . import options
from .argument_types import a_path, whole
from .printing import write_records

_MOST_CONFIDENCE = 0.9999
PARENTS = (options.ROOT, options.FORMAT, options.REASONING)
_COLUMNS = (
    *("metric", "value", "n", "unit", "units", "unparseable_rate", "strict_value", "strict_unparseable_rate"),
    *("refused_rate", "truncated_rate", "mean_new_tokens"),
)
_PUBLISHED = (
    *("published_metric", "score_as_published", "score_as_published_low", "score_as_published_high"),
    *("constant_score_as_published", "unknown_rate_as_published"),
)


class _Markers(Settings):
    """The thought markers of an option, checked as an entry's are."""

    reasoning: StatedReasoning | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    defaults = Bootstrap()
    parser.add_argument("--dataset", required=True, help="name of a folder under config/datasets")
    parser.add_argument(
        "--gold", required=True, type=a_path, metavar="FILE", help="file in the dataset's format, or samples.jsonl"
    )
    parser.add_argument("--predictions", required=True, type=a_path, metavar="FILE", help="predictions.jsonl")
    parser.add_argument(
        "--out", required=True, type=a_path, metavar="DIR", help="folder for scored.jsonl and scores.json"
    )
    parser.add_argument("--subset", action="store_true", help="allow predictions for only a part of the gold file")
    parser.add_argument(
        "--prompting",
        choices=list(PROMPTINGS),
        default="instruction",
        help="how the answers were asked for (%(default)s); in a chain of thought the last answer counts",
    )
    parser.add_argument(
        "--prompts",
        choices=get_args(Prompts),
        default="own",
        help="in which form they were asked for (%(default)s); as_published, a chain of thought ends in square brackets",
    )
    parser.add_argument("--model", metavar="NAME", help="whose entry under config/models names the thought markers")
    parser.add_argument(
        "--resamples", type=whole(10**6), default=defaults.resamples, help="bootstrap resamples (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole(2**32 - 1), default=defaults.seed, help="seed of the bootstrap (%(default)s)"
    )
    parser.add_argument(
        "--confidence",
        type=float,
        default=defaults.confidence,
        help="of the interval (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Score, and print the score in one line.

    Raises:
        ConfigError: unknown dataset, model or thought markers, or bootstrap settings out of range.
        DataError: bad predictions or gold file.
    """
    root = options.root_of(arguments)
    entries = load_datasets(root, needed={arguments.dataset})
    if not entries:
        raise ConfigError(f"{root / 'config/datasets'}: no datasets there; name the catalogue with --root")
    if arguments.dataset not in entries:
        raise ConfigError(f"--dataset {arguments.dataset!r} is unknown{nearest(arguments.dataset, entries)}")
    if arguments.resamples < 1 or not 0 < arguments.confidence <= _MOST_CONFIDENCE or arguments.seed < 0:
        raise ConfigError(
            f"--resamples must be at least 1, --seed at least 0, and --confidence above 0 and at most {_MOST_CONFIDENCE}"
        )
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out}: a file; name a folder, which is made where it is missing")
    origin = Origin(
        reasoned=reasons_first(arguments.prompting), reasoning=_reasoning(arguments, root), prompts=arguments.prompts
    )
    scores = score_file(
        arguments.predictions,
        arguments.gold,
        entries[arguments.dataset],
        arguments.out,
        Bootstrap(arguments.resamples, arguments.seed, arguments.confidence),
        arguments.subset,
        origin,
    )
    if entries[arguments.dataset].is_private:  # names of samples, and words of entities
        for name in ("scored.jsonl", "scores.json"):
            (arguments.out / name).chmod(FILE)
    low, high = scores.interval
    if arguments.format != "text":
        columns = ("dataset", "low", "high", *_COLUMNS, *_PUBLISHED)
        own = (getattr(scores, name) for name in _COLUMNS)
        row = (arguments.dataset, low, high, *own, *_as_published(scores.as_published))
        write_records(arguments.format, dict.fromkeys(columns), [row])
        return
    print(
        f"{arguments.dataset}: {scores.metric} {scores.value:.4f} [{low:.4f}, {high:.4f}], n = {scores.n}{_independent(scores)}, "
        f"unparseable {scores.unparseable_rate:.1%}; exact format: {scores.strict_value:.4f}, "
        f"unparseable {scores.strict_unparseable_rate:.1%}"
    )
    if scores.refused_rate:
        print(f"declined to answer, among the unparseable: {scores.refused_rate:.1%}")
    if scores.truncated_rate is not None:
        print(f"cut at the token limit: {scores.truncated_rate:.1%}")
    if scores.as_published is not None:
        published = scores.as_published
        low, high = published.interval
        print(
            f"as published: {published_metric(published.metric).title} {published.value:.4f} [{low:.4f}, {high:.4f}], "
            f"best constant answer {published.constant_value:.4f}, nothing that counts {published.unknown_rate:.1%}"
        )
    if scores.changed_answers:
        print(f"{arguments.predictions.parent}: {changed_words(scores.changed_answers)}")
    print(f"written: {arguments.out / 'scored.jsonl'}, {arguments.out / 'scores.json'}")


def _as_published(scores: PublishedScore | None) -> tuple[str | float | None, ...]:
    """The values of the columns that tell what the paper's authors would have scored."""
    if scores is None:
        return (None,) * len(_PUBLISHED)
    return (scores.metric, scores.value, *scores.interval, scores.constant_value, scores.unknown_rate)


def _independent(scores: Scores) -> str:
    """How many documents the samples are from, where that is known and not one each."""
    return f" from {scores.units} documents" if scores.unit == "document" and scores.units != scores.n else ""


def _reasoning(arguments: argparse.Namespace, root: Path) -> Reasoning | None:
    """The thought markers that the options name, or the entry of the model they name."""
    stated = options.stated_reasoning(arguments)
    if arguments.model is None:
        return parse(_Markers, {"reasoning": stated}, "--reasoning").reasoning
    if stated is not None:
        raise ConfigError("--model and --reasoning both name thought markers; give one of them")
    models = load_models(root, needed={arguments.model})
    if arguments.model not in models:
        raise ConfigError(f"--model {arguments.model!r} is unknown{nearest(arguments.model, models)}")
    return models[arguments.model].reasoning
