"""Every dataset's templates render from its inputs alone, and never show the gold answer."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from quantbench.config import CATALOGUE_VARIABLE, Slips, load_datasets
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import prepare, worked_examples
from quantbench.errors import ConfigError
from quantbench.prompts import read_template, render, template_path
from quantbench.study.spec import identity_hash

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


def published(repository: Path, dataset: str, prompting: str, shots: int = 0, slips: Slips | None = None) -> str:
    entry = load_datasets(repository)[dataset]
    template = read_template(template_path(repository, dataset, prompting, "as_published"))
    sample = Sample("0", INPUTS[entry.reader], "SECRET", "0")
    return render(entry, template, sample, [(sample, "WORKED")] * shots, slips or Slips())


@pytest.mark.parametrize("prompting", ["instruction", "cot", "self_consistency"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_prompts_of_the_published_form_are_instructions_input_and_a_cue(
    repository: Path, dataset: str, prompting: str
) -> None:
    zero, two = (published(repository, dataset, prompting, shots) for shots in (0, 2))
    assert "SECRET" not in zero + two and "\n\n\n" not in two
    assert (zero.count("INPUT"), two.count("INPUT"), two.count("WORKED")) == (1, 3, 2)
    assert two.startswith(zero[: zero.index("INPUT")].rpartition("\n\n")[0])
    cue = zero.splitlines()[-1]
    assert cue.endswith(":") and two.endswith(f"\n{cue}")
    in_brackets = prompting != "instruction"
    assert ("in square brackets" in zero) == ("[WORKED]" in two) == in_brackets
    if not in_brackets:
        assert two.count(f"\n{cue} WORKED\n") == 2
    assert "Final answer" not in two, "that is our own form"


@pytest.mark.parametrize("dataset", ["hoc", "litcovid"])
def test_labels_of_several_are_one_sorted_list_without_definitions(repository: Path, dataset: str) -> None:
    labels = load_datasets(repository)[dataset].labels
    text = published(repository, dataset, "instruction")
    assert f"\nThe labels are: {'; '.join(sorted(labels))}\n" in text
    assert "separated by semicolons" in text and not any(meaning in text for meaning in labels.values())


@pytest.mark.parametrize("dataset", ["chemprot", "ddi2013"])
def test_classes_of_relations_have_one_line_each(repository: Path, dataset: str) -> None:
    labels = load_datasets(repository)[dataset].labels
    lines = published(repository, dataset, "instruction").splitlines()
    assert [line for line in lines if line.partition(": ")[0] in labels] == [f"{k}: {v}" for k, v in labels.items()]


@pytest.mark.parametrize("prompting", ["instruction", "cot"])
@pytest.mark.parametrize(("dataset", "kind"), [("bc5cdr_chemical", "chemical"), ("ncbi_disease", "disease")])
def test_entities_are_marked_with_their_class_in_examples_too(
    repository: Path, dataset: str, kind: str, prompting: str
) -> None:
    entry = load_datasets(repository)[dataset]
    sample = Sample("0", {"text": "a b c"}, [], "0")
    template = read_template(template_path(repository, dataset, prompting, "as_published"))
    text = render(entry, template, sample, [(sample, "<span>a</span> b <span>c</span>")])
    assert f'<span class="{kind}">a</span> b <span class="{kind}">c</span>' in text
    assert "<span>" not in text and f"every {kind} entity" in text


@pytest.mark.parametrize("prompting", ["instruction", "cot"])
def test_the_slip_of_ncbi_asks_for_chemicals_and_marks_diseases(repository: Path, prompting: str) -> None:
    plain = published(repository, "ncbi_disease", prompting)
    slipped = published(repository, "ncbi_disease", prompting, slips=Slips(ncbi_asks_for_chemicals=True))
    assert slipped == plain.replace("every disease entity", "every chemical entity") != plain
    assert '<span class="disease">' in slipped
    for other in set(DATASETS) - {"ncbi_disease"}:
        assert published(repository, other, prompting) == published(
            repository, other, prompting, slips=Slips(ncbi_asks_for_chemicals=True)
        )


def test_no_prompt_of_our_own_knows_a_slip(repository: Path) -> None:
    for path in (repository / "config/datasets").glob("*/*.txt"):
        assert ("slips" in path.read_text()) == (path.parent.name == "ncbi_disease" and "published" in path.name), path


# Of every default prompt of the small datasets, 3 promptings with 0 and 3 worked examples, as they were before there was another
# protocol. A template that is changed on purpose changes it, and runs its cells again.
DEFAULT_PROMPTS = "389550ea81828eaa876e5b49568843cb1729a832c957e37458c15738b8d35bde"


def test_the_prompts_of_the_sound_protocol_are_what_they_were(repository: Path, tmp_path: Path) -> None:
    entries = load_datasets(repository, repository / "tests/data/datasets")
    texts: dict[str, JsonValue] = {}
    for name in DATASETS:
        entry = entries[name]
        prepare(entry, name, repository / "tests/data/datasets" / name, None, 2509, tmp_path / name)
        samples, shots = (read_records(tmp_path / name / f"{kind}.jsonl", Sample) for kind in ("samples", "shots"))
        for prompting in ("instruction", "cot", "self_consistency"):
            template = read_template(template_path(repository, name, prompting))
            for number in (0, 3):
                worked = worked_examples(shots, entry, number, "balanced")
                texts[f"{name} {prompting} {number}"] = [render(entry, template, sample, worked) for sample in samples]
    assert identity_hash(texts) == DEFAULT_PROMPTS


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


@pytest.mark.parametrize("name", ["labels", "entity_type", "examples", "slips", "self"])
def test_an_input_may_not_take_a_name_that_means_something_else(repository: Path, name: str) -> None:
    entry = load_datasets(repository)["hoc"]
    with pytest.raises(ConfigError, match=f"HoC.*an input named '{name}'.*rename it"):
        render(entry, "{{ text }}", Sample("0", {"text": "x", name: "y"}, [], "0"))


@pytest.mark.parametrize("name", ["context", "environment", "source", "loop", "range", "template"])
def test_an_input_may_have_a_name_that_only_jinja_uses(repository: Path, name: str) -> None:
    entry = load_datasets(repository)["hoc"]
    assert render(entry, f"{{{{ text ~ {name} }}}}", Sample("0", {"text": "x", name: "y"}, [], "0")) == "xy"


def test_a_prompt_does_not_depend_on_chance_and_comes_to_an_end(repository: Path) -> None:
    entry = load_datasets(repository)["hoc"]
    for source, said in (
        ("{{ text | random }}", "line 1: No filter named 'random'"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "line 1: takes more steps"),
    ):
        with pytest.raises(ConfigError, match=f"prompt template of HoC: {said}"):
            render(entry, source, Sample("0", {"text": "x"}, [], "0"))
