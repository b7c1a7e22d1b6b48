"""Judge a quantized run against one at full precision, both made elsewhere: the same differences, tests and verdicts as the pipeline's.

  quantbench judge full/ int8/                              two output folders of lm-evaluation-harness, every task
  quantbench judge full/ int8/ --out judged                 table, changed answers and a page too, in the folder judged
  quantbench judge full.eval int8.eval --group-field pmid   inspect_ai; samples of one document taken together
  quantbench judge a.jsonl b.jsonl --id-field qid --answer-field output --gold-field label

REFERENCE and OTHER are a file or folder each: samples_*.jsonl of lm-evaluation-harness (--log_samples), logs of inspect_ai (.json,
.eval), or JSON lines with an id, an answer and a gold answer. Gzipped files are read too. Scores lie between 0 and --scale, 1 by
default, and more is better. Runs that do not pair are refused: other tasks, samples, prompts, gold answers, settings, scores.

Exit status: 0 no task is shown to be worse; 1 one is (degraded, or worse, extent open); 2 bad input, or runs that do not pair.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..config.entries import DEFAULT_MARGIN
from ..contracts.files import write_text
from ..errors import ConfigError, FoundWanting
from ..judge import Flip, JudgedRow, Wanted, flips, judge, pair_runs, read_run
from ..judge.judged_words import HEADER, NAMES, remarks, table_rows, verdict_sentence
from ..statistics import Bootstrap
from . import options
from .argument_types import a_path, whole
from .printing import write_records
from .printing import write_text as print_columns

PARENTS = (options.FORMAT,)
_MOST_CONFIDENCE = 0.9999
_WORSE = ("degraded", "worse, extent open")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    defaults = Bootstrap()
    parser.add_argument(
        "reference", type=a_path, metavar="REFERENCE", help="file or folder of the run at full precision"
    )
    parser.add_argument("other", type=a_path, metavar="OTHER", help="file or folder of the run that is judged")
    parser.add_argument("--task", action="append", metavar="TASK", help="may be repeated (default: every task)")
    parser.add_argument("--metric", metavar="NAME", help="the score to read (default: the first that a file names)")
    parser.add_argument("--filter", metavar="NAME", help="of lm-evaluation-harness (default: the first of a file)")
    parser.add_argument(
        "--group-field", metavar="FIELD", help="field with the source document of a sample (default: each its own)"
    )
    parser.add_argument("--id-field", metavar="FIELD", help="field with a sample's id, in plain JSON lines")
    parser.add_argument("--answer-field", metavar="FIELD", help="field with the answer, in plain JSON lines")
    parser.add_argument("--gold-field", metavar="FIELD", help="field with the gold answer, in plain JSON lines")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="the best possible score (%(default)g)")
    parser.add_argument(
        "--margin",
        type=float,
        default=DEFAULT_MARGIN,
        metavar="X",
        help="largest loss of score still called preserved, as a share of the best possible score (%(default)s)",
    )
    parser.add_argument("--out", type=a_path, metavar="DIR", help="folder for judged.csv, flips.jsonl and judged.html")
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
    """Print the table and the verdicts.

    Raises:
        ConfigError: options out of range, or a task that is not there.
        DataError: files that cannot be read, or runs that do not pair.
        FoundWanting: a task is worse (said after printing).
    """
    if arguments.resamples < 1 or not 0 < arguments.confidence <= _MOST_CONFIDENCE or arguments.seed < 0:
        raise ConfigError(
            f"--resamples must be at least 1, --seed at least 0, and --confidence above 0 and at most {_MOST_CONFIDENCE}"
        )
    out: Path | None = arguments.out
    if out is not None and out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: a file; name a folder, which is made where it is missing")
    wanted = Wanted(
        metric=arguments.metric,
        filter=arguments.filter,
        group=arguments.group_field,
        identity=arguments.id_field,
        answer=arguments.answer_field,
        gold=arguments.gold_field,
        scale=arguments.scale,
    )
    paths = (arguments.reference, arguments.other)
    reference, other = (read_run(path, wanted, arguments.task or ()) for path in paths)
    pairs = pair_runs(reference, other, paths)
    rows = judge(pairs, arguments.margin, Bootstrap(arguments.resamples, arguments.seed, arguments.confidence))
    said = remarks(pairs, rows)
    if out is not None:
        _write(out, rows, list(flips(pairs)), said, paths)
    if arguments.format != "text":
        write_records(arguments.format, dict.fromkeys(JudgedRow.model_fields), [row.values() for row in rows])
    else:
        print_columns(HEADER, table_rows(rows), NAMES)
        print("", *(verdict_sentence(row) for row in rows), "", *said, sep="\n")
        if out is not None:
            print(f"written: {', '.join(str(out / name) for name in ('judged.csv', 'flips.jsonl', 'judged.html'))}")
    worse = [row.task for row in rows if row.verdict in _WORSE]
    if worse:
        raise FoundWanting(f"worse than the reference: {', '.join(worse)}")


def _write(
    folder: Path, rows: Sequence[JudgedRow], changed: Sequence[Flip], said: Sequence[str], paths: tuple[Path, Path]
) -> None:
    # The page takes Jinja2, which the comparison itself does not.
    from ..judge.judged_page import write_page

    JudgedRow.write(folder / "judged.csv", rows)
    lines = [json.dumps(asdict(flip) | {"change": flip.change}, ensure_ascii=False) for flip in changed]
    write_text(folder / "flips.jsonl", "".join(f"{line}\n" for line in lines))
    write_page(folder / "judged.html", rows, changed, said, paths)
