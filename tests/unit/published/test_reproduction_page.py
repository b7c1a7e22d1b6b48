"""docs/reproduction.md says what its tables hold, its tables what the data say, and its switches what the configuration sets."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import make_tables
import pytest
import yaml
from answer_lengths import AnswerLength
from hidden_losses import HiddenLoss, LabelScoreBehind
from sampling_noise import DifferenceRow
from sklearn.metrics import f1_score
from test_sets import GoldCounts
from trivial_predictors import PredictorRow

from quantbench.config import load_datasets
from quantbench.tables import PublishedRow
from quantbench.tables.paper_rows import published_path
from quantbench.tasks import published_convention


def read(kind):
    return kind.read(make_tables.file_of(kind))


@pytest.fixture(scope="module")
def page() -> str:
    """The page on one line, so that words may break anywhere."""
    return " ".join(make_tables.PAGE.read_text().split())


@pytest.fixture(scope="module")
def predictors() -> dict[tuple[str, str], PredictorRow]:
    return {(row.dataset, row.predictor): row for row in read(PredictorRow)}


@pytest.fixture(scope="module")
def table(repository: Path) -> list[PublishedRow]:
    return PublishedRow.read(published_path(repository))


def below(table: list[PublishedRow], dataset: str, value: float) -> int:
    """How many of the published scores of a dataset lie below a value."""
    return sum(row.score < value for row in table if row.dataset == dataset)


def test_page_and_tables_are_in_step() -> None:
    assert make_tables.PAGE.read_text() == make_tables.page_text(), "run: python resources/published/make_tables.py"


@pytest.mark.slow
def test_tables_follow_from_the_published_files(real_data: Path) -> None:
    for kind, made in make_tables.tables_of(real_data):
        kept = read(kind)
        assert len(kept) == len(made)
        for row, again in zip(kept, made, strict=True):
            for name, value, found in zip(kind.model_fields, row.values(), again.values(), strict=True):
                assert value == (pytest.approx(found, abs=1e-7) if isinstance(found, float) else found), (row, name)


@pytest.mark.parametrize(
    ("dataset", "predictor", "as_published", "ours"),
    [
        ("ddi2013", "always negative (the most frequent class)", 0.4850, 0.1814),
        ("chemprot", "always negative (the most frequent class)", 0.3142, 0.1466),
        ("hoc", "every label", 0.2555, 0.2555),
        ("pubmedqa", "all right, in other letter case", 0, 1),
        ("bc5cdr_chemical", "every word tagged", 0.7399, 0.0750),
    ],
)
def test_what_knows_nothing_scores_what_is_known(predictors, dataset, predictor, as_published, ours) -> None:
    row = predictors[dataset, predictor]
    assert (row.as_published, row.ours) == (pytest.approx(as_published, abs=5e-5), pytest.approx(ours, abs=5e-5))


def test_answers_by_chance_score_about_what_was_expected(predictors) -> None:
    for dataset, as_published, ours in (("ddi2013", 0.45, 0.12), ("chemprot", 0.215, 0.097)):
        row = predictors[dataset, "a class by chance"]
        assert (row.as_published, row.ours) == (pytest.approx(as_published, abs=0.006), pytest.approx(ours, abs=0.002))


def test_gold_strings_are_those_of_the_files() -> None:
    found = {row.dataset: (row.gold_answers, row.strings_counted, row.distinct_strings) for row in read(GoldCounts)}
    assert found["bc5cdr_chemical"] == (5385, 4960, 1241)
    assert found["ncbi_disease"] == (960, 922, 423)


def test_words_about_predictors(page: str, predictors, table) -> None:
    scores = {row.score for row in table if row.dataset == "ddi2013"}
    assert (min(scores), max(scores)) == (0.432, 0.562)
    assert "All 12 published values lie between .432 and .562; an answer that lists every class gets .5489" in page
    negative, every = "always negative (the most frequent class)", "every class in a list"
    counts = [
        below(table, name, predictors[name, predictor].as_published)
        for name in ("ddi2013", "chemprot")
        for predictor in (negative, every)
    ]
    assert counts == [4, 6, 5, 11]
    assert (
        "12 published values 4 lie below the answer that is always negative, and 6 below a list of every class" in page
    )
    assert "Of ChemProt's 5 lie below always `false` and 11 below the list" in page
    tagged = predictors["bc5cdr_chemical", "every word tagged"]
    assert below(table, "bc5cdr_chemical", tagged.as_published) == 9
    assert "gets .7399 on BC5CDR-chemical, more than 9 of the 12 published values; by exact spans it gets .0750" in page
    assert max(row.score for row in table if row.dataset == "ncbi_disease") < 0.49


def test_words_about_hidden_losses(page: str) -> None:
    shown = {
        name: [
            100 * row.shown for row in read(HiddenLoss) if row.dataset == name and round(row.by_label_lost, 2) == 0.1
        ]
        for name in ("ddi2013", "chemprot")
    }
    assert [round(min(shown["ddi2013"])), round(max(shown["ddi2013"]))] == [57, 70]
    assert "the character score shows 57% to 70% of the loss" in page
    assert [round(min(shown["chemprot"])), round(max(shown["chemprot"]))] == [43, 143]
    alarms = [
        100 * row.shown
        for row in read(HiddenLoss)
        if row.dataset == "chemprot" and row.error.startswith("false alarms") and round(row.by_label_lost, 2) == 0.1
    ]
    assert "43% of relations taken for one another, whose names differ in one digit" in page
    assert f"and {min(alarms):.0f}% to {max(alarms):.0f}% of false alarms" in page
    behind = {(row.dataset, row.by_characters, row.error): row.by_label for row in read(LabelScoreBehind)}
    at = [
        value for (name, score, _), value in behind.items() if (name, score) == ("ddi2013", 0.56) and value is not None
    ]
    assert f".562, goes with about {min(at):.2f} to {max(at):.2f} by label".replace("0.", ".") in page
    at = [
        value for (name, score, _), value in behind.items() if (name, score) == ("chemprot", 0.45) and value is not None
    ]
    assert f".446, goes with {min(at):.2f} to {max(at):.2f}".replace("0.", ".") in page


def test_the_example_of_four_pairs(page: str, repository: Path) -> None:
    entry = load_datasets(repository)["chemprot"]
    golds, answers = ["CPR:3", "CPR:3", "CPR:4", "false"], ["CPR:3", "CPR:4", "false", "false"]
    by_characters = published_convention(entry).value(answers, golds)
    by_label = f1_score(golds, answers, average="macro")
    assert f"get {by_characters:.3f} over characters and {by_label:.3f} by label".replace("0.", ".") in page


def test_words_about_noise(page: str) -> None:
    sampled = [row for row in read(DifferenceRow) if row.decoding == "sampled"]
    within = sum(row.undecided_needed <= 0.2 for row in sampled)
    beyond = [row for row in sampled if row.is_beyond_noise]
    llama = [row for row in beyond if (row.model, row.precision) == ("llama-3.3-70b", "w8a16")]
    assert all(row.difference < 0 for row in llama)
    assert (
        f"Of the {len(sampled)} differences of models that were probably sampled {within} need no more than a fifth of the items to be "
        f"undecided, and {len(sampled) - within - len(beyond)} need more. But {len(beyond)} are larger than such noise is likely to be, "
        f"{len(llama)} of them losses of Llama-3.3-70B at W8A16" in page
    )
    assert len(llama) == 6
    assert "scored worse than its full ones on six of eight datasets" in page
    easy = {"hoc", "litcovid", "medqa"}
    others = [row for row in read(DifferenceRow) if row.precision == "w8a16" and row.model != "llama-3.3-70b"]
    least = min(row.difference for row in others if row.dataset in easy)
    assert f"DeepSeek, Phi-4 and Qwen2.5 lose {-least:.3f} at most at W8A16".replace("0.", ".") in page


def test_words_about_latency(page: str, table) -> None:
    lengths = {(row.dataset, row.model): row for row in read(AnswerLength) if row.precision == "full"}
    most = [row.at_most for (dataset, _), row in lengths.items() if dataset == "pubmedqa"]
    assert f"on PubMedQA at most {min(most):.0f} to {max(most):.0f} tokens on average" in page
    assert (
        f"cannot have been more than {lengths['pubmedqa', 'deepseek-llm-67b'].at_most:.0f} tokens long on average"
        in page
    )
    full = {(row.model, row.dataset): row.latency_s for row in table if row.precision == "full"}
    medians = [
        sorted(row.latency_s / full[row.model, row.dataset] for row in table if row.precision == name)[15:17]
        for name in ("w8a16", "w4a16")
    ]
    ratios = [sum(two) / 2 for two in medians]
    assert (
        f"took {ratios[0]:.1f} times (LLM.int8) and {ratios[1]:.1f} times (NF4) as long as at float16 in the median"
        in page
    )


def test_every_switch_of_the_published_protocol_is_named_as_it_is_set(page: str, repository: Path) -> None:
    stated = yaml.safe_load((repository / "config/published.yaml").read_text())
    protocol = dict(stated["protocol"])
    wanted = {f"protocol.{name}": value for name, value in protocol.items() if name not in ("slips", "system_prompt")}
    wanted |= {f"protocol.slips.{name}": value for name, value in protocol["slips"].items()}
    wanted |= {f"inference.{name}": value for name, value in stated["inference"].items()}
    named = dict(re.findall(r"`((?:protocol|inference)\.[\w.]+): (\w[\w.]*)`", page))
    assert named == {name: str(value).lower() for name, value in wanted.items()}
    assert "`protocol.system_prompt`" in page


def test_a_folder_without_test_sets_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, make_tables.__file__, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1:] == [
        f"make_tables.py: {tmp_path / 'hoc'}: no test*.tsv there; name the folder that holds the published test sets"
    ]
    assert "Traceback" not in done.stderr
