"""Every dataset's templates render from its inputs alone, and never show the gold answer."""

from pathlib import Path

import pytest

from quantbench.config import CATALOGUE_VARIABLE, load_datasets
from quantbench.contracts.records import Sample
from quantbench.errors import ConfigError
from quantbench.prompts import read_template, render, template_path

INPUTS = {
    "labelled_text": {"text": "INPUT"},
    "token_tags": {"text": "INPUT"},
    "entity_pairs": {"sentence": "INPUT"},
    "multiple_choice": {"question": "INPUT", "options": {"A": "first", "B": "second"}},
    "yes_no_maybe": {"question": "INPUT", "context": "SOURCE"},
}
DATASETS = ["hoc", "litcovid", "bc5cdr_chemical", "ncbi_disease", "chemprot", "ddi2013", "medqa", "pubmedqa"]


@pytest.mark.parametrize("prompting", ["instruction", "cot", "self_consistency"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_templates(repository: Path, dataset: str, prompting: str) -> None:
    entry = load_datasets(repository)[dataset]
    template = read_template(template_path(repository, dataset, prompting))
    sample = Sample("0", INPUTS[entry.reader], "SECRET", "0")
    example = Sample("9", INPUTS[entry.reader], "SECRET", "9")
    zero, two = (render(entry, template, sample, [(example, "WORKED")] * shots) for shots in (0, 2))
    assert "SECRET" not in zero + two
    assert (zero.count("INPUT"), two.count("INPUT"), two.count("WORKED")) == (1, 3, 2)
    assert all(f"- {label}: {definition}" in zero for label, definition in entry.labels.items())
    assert zero.endswith(":")
    assert "\n\n\n" not in two
    # What precedes the input is the same for every sample: the shared prefix of a plan.
    other = render(
        entry,
        template,
        Sample("1", {**sample.inputs, **{k: "OTHER" for k in sample.inputs if k != "options"}}, "", "1"),
    )
    assert zero.split("INPUT")[0].split("SOURCE")[0] == other.split("OTHER")[0]


def worked(repository: Path, dataset: str, prompting: str, shots: int) -> str:
    entry = load_datasets(repository)[dataset]
    template = read_template(template_path(repository, dataset, prompting))
    sample = Sample("0", INPUTS[entry.reader], None, "0")
    return render(entry, template, sample, [(sample, "WORKED")] * shots)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_worked_example_answers_the_very_cue_the_prompt_ends_with(repository: Path, dataset: str) -> None:
    cue = worked(repository, dataset, "instruction", 2).splitlines()[-1]
    assert f"\n{cue} WORKED\n" in worked(repository, dataset, "instruction", 1)


@pytest.mark.parametrize("dataset", DATASETS)
def test_examples_without_reasoning_are_told_apart_from_the_question_to_reason_about(
    repository: Path, dataset: str
) -> None:
    """Gold answers come without reasoning; shown as if they were the whole reply, they would ask for none."""
    zero, two = (worked(repository, dataset, "cot", shots) for shots in (0, 2))
    introduced, asked = "Solved examples, of which only the final answer is shown:", "Now reason about this one"
    assert introduced not in zero and asked not in zero
    order = [two.index(words) for words in (introduced, "Final answer: WORKED", asked)]
    assert order == sorted(order) and two.rindex("WORKED") < two.index(asked)
    assert "Reasoning:" not in two[: two.index(asked)]
    # Where nothing is worked out, nothing but the question itself is added.
    assert two.startswith(zero[: zero.index("INPUT")].rpartition("\n\n")[0])


def test_the_question_is_for_the_answer_and_for_a_relation_in_either_order(repository: Path) -> None:
    """ "Yes" would answer whether a context answers; tags of the published files follow the order of mention."""
    for prompting in ("instruction", "cot"):
        asked = worked(repository, "pubmedqa", prompting, 0)
        assert "what is the answer to the research question" in asked and "Does the context" not in asked
        related = worked(repository, "chemprot", prompting, 0)
        assert "Either may be the chemical" in related and "the chemical @CHEMICAL$" not in related
    labels = load_datasets(repository)["chemprot"].labels
    assert not any(tag in meaning for meaning in labels.values() for tag in ("@CHEMICAL$", "@GENE$"))


def test_a_wrong_name_in_a_template_is_named(repository: Path) -> None:
    entry = load_datasets(repository)["hoc"]
    with pytest.raises(ConfigError, match=r"HoC.*'abstract' is undefined"):
        render(entry, "{{ abstract }}", Sample("0", {"text": "x"}, [], "0"))


def test_a_missing_template_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config/models").mkdir(parents=True)
    monkeypatch.setenv(CATALOGUE_VARIABLE, str(tmp_path))  # else the shipped one stands in
    with pytest.raises(ConfigError, match=r"hoc/cot\.txt: no such prompt template"):
        read_template(template_path(tmp_path, "hoc", "self_consistency"))


def test_a_template_cannot_reach_out(repository: Path) -> None:
    """Templates come in other people's bundles too."""
    entry = load_datasets(repository)["hoc"]
    with pytest.raises(ConfigError, match="unsafe"):
        render(entry, "{{ text.__class__.__mro__ }}", Sample("0", {"text": "x"}, [], "0"))
