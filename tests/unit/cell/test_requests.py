"""Prompts as token ids: worked examples, chat templates, and exactly one start token."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests import tiny_tokenizers

from quantbench.cell.requests import Prompts, build_prompts, check_context
from quantbench.config import FAMILIES, ModelEntry, ProtocolSettings, load
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.records import Sample, write_records
from quantbench.errors import ConfigError, DataError, ModelError
from quantbench.models.tokenizing import load_tokenizer
from quantbench.prompts import template_path
from quantbench.study.spec import CellSpec, cell_spec

CHAT = "{{ bos_token }}{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}<assistant>"
DOUBLED = "{{ bos_token }}" + CHAT


@pytest.fixture
def data(tmp_path: Path) -> Path:
    samples = [Sample(str(number), {"sentence": f"@DRUG$ text {number} @DRUG$"}, "DDI-int", "d") for number in range(3)]
    write_records(tmp_path / "samples.jsonl", samples)
    shots = [Sample(str(number), {"sentence": f"shot {number}"}, "DDI-false", "e") for number in range(2)]
    write_records(tmp_path / "shots.jsonl", shots)
    return tmp_path


def spec_of(repository: Path, model: ModelEntry, shots: int = 0, **changes: object) -> CellSpec:
    catalogue = load(repository, read_yaml(repository / "config/config.yaml"), "test")
    catalogue.models["m"] = model
    return replace(cell_spec(catalogue, Cell("m", "full", "ddi2013", "instruction", shots)), **changes)


def build(repository: Path, data: Path, model: ModelEntry, shots: int = 0, chat: str | None = None):
    tokenizer = load_tokenizer(Path(str(model.folder)))
    if chat is not None:
        tokenizer.chat_template = chat
    return build_prompts(spec_of(repository, model, shots), data, tokenizer).requests, tokenizer


def test_worked_examples_come_in_order_with_their_answers(repository: Path, data: Path, random_model) -> None:
    requests, tokenizer = build(repository, data, random_model, shots=2)
    assert [request.sample_id for request in requests] == ["0", "1", "2"]
    text = requests[1].text
    assert text.index("shot 0") < text.index("Class: DDI-false") < text.index("shot 1") < text.index("text 1")
    assert "DDI-int\n" not in text.split("Answer with")[1]
    assert tokenizer.decode(requests[1].token_ids) == text


@pytest.mark.parametrize(
    ("shots", "shown"),
    [(1, ["DDI-advise"]), (3, ["DDI-advise", "DDI-effect", "DDI-false"]), (6, ["DDI-advise"] * 2 + ["DDI-effect"] * 2)],
)
def test_first_rows_depend_on_their_number(
    repository: Path, data: Path, random_model, shots: int, shown: list[str]
) -> None:
    labels = ["DDI-advise", "DDI-effect", "DDI-false", "DDI-int", "DDI-mechanism"]
    prepared = [Sample(f"{n} {label}", {"sentence": f"{label} {n}"}, label, "e") for label in labels for n in range(4)]
    write_records(data / "shots.jsonl", prepared)
    protocol = ProtocolSettings(examples="first_rows", prompts="as_published")
    folder = Path(str(random_model.folder))
    spec = spec_of(repository, random_model, shots, protocol=protocol)
    spec = replace(spec, template=template_path(repository, "ddi2013", "instruction", "as_published"))
    text = build_prompts(spec, data, load_tokenizer(folder)).requests[0].text
    told = [line.removeprefix("Label: ") for line in text.splitlines() if line.startswith("Label: ")]
    assert len(told) == shots and told[: len(shown)] == shown


def test_a_misspelt_name_in_a_template_is_named_with_file_and_line(
    repository: Path, data: Path, random_model, tmp_path: Path
) -> None:
    template = tmp_path / "instruction.txt"
    template.write_text("Sentence:\n{{ sentense }}\n")
    spec = replace(spec_of(repository, random_model), template=template)
    with pytest.raises(ConfigError) as error:
        build_prompts(spec, data, load_tokenizer(Path(str(random_model.folder))))
    assert str(error.value).startswith(f"{template}: ")
    assert "line 2: 'sentense' is undefined (inputs of the samples: sentence)" in str(error.value)


def test_a_system_prompt_reaches_the_model(repository: Path, data: Path, random_model) -> None:
    model = random_model.model_copy(update={"chat_template": "tokenizer", "system_prompt": "Be brief."})
    requests, tokenizer = build(repository, data, model, chat=CHAT)
    assert all("<system>Be brief.<user>" in request.text for request in requests)
    assert "Be brief." in tokenizer.decode(requests[0].token_ids)


def test_fewer_worked_examples_than_shots_is_an_error(repository: Path, data: Path, random_model) -> None:
    said = (
        r"shots\.jsonl: 2 worked examples, m full on ddi2013 .* needs 3; lower the shots of its study, or give its train or dev file "
        "more rows"
    )
    with pytest.raises(DataError, match=said + "$"):
        build(repository, data, random_model, shots=3)
    spec = spec_of(repository, random_model, 3, protocol=ProtocolSettings(examples="first_rows"))
    with pytest.raises(DataError, match=said + " of each label, or set protocol.examples: balanced$"):
        build_prompts(spec, data, load_tokenizer(Path(str(random_model.folder))))


def test_a_chat_template_writes_the_only_start_token(repository: Path, data: Path, random_model) -> None:
    model = random_model.model_copy(update={"chat_template": "tokenizer"})
    requests, tokenizer = build(repository, data, model, chat=CHAT)
    assert requests[0].text.endswith("<assistant>")
    assert all(request.token_ids.count(tokenizer.bos_token_id) == 1 for request in requests)


def test_a_configured_chat_template_must_exist(repository: Path, data: Path, random_model) -> None:
    model = random_model.model_copy(update={"chat_template": "tokenizer"})
    with pytest.raises(ModelError, match="no chat template; set chat_template: none"):
        build(repository, data, model)


SWITCH = CHAT + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"


@pytest.mark.parametrize(
    ("told", "ends"), [(None, "<assistant>"), (True, "<assistant>"), (False, "<assistant><think>\n\n</think>\n\n")]
)
def test_the_chat_template_is_told_whether_to_think(
    repository: Path, data: Path, random_model, told: bool | None, ends: str
) -> None:
    model = random_model.model_copy(update={"chat_template": "tokenizer", "enable_thinking": told})
    requests, tokenizer = build(repository, data, model, chat=SWITCH)
    assert all(request.text.endswith(ends) for request in requests)
    assert tokenizer.decode(requests[0].token_ids).endswith(ends)


def test_a_switch_that_the_template_does_not_know_is_refused(repository: Path, data: Path, random_model) -> None:
    model = random_model.model_copy(update={"chat_template": "tokenizer", "enable_thinking": False})
    with pytest.raises(ModelError, match=r"model 'm': enable_thinking is false .* knows no such switch; leave it out"):
        build(repository, data, model, chat=CHAT)
    stand_in = model.model_copy(update={"weights": "random"})
    assert build(repository, data, stand_in, chat=CHAT)[0]


def own_model(folder: Path, random_model: ModelEntry, **stated: object) -> ModelEntry:
    """A model of a tokenizer of one's own, with an embedding for each of its tokens."""
    facts = random_model.architecture.model_copy(update={"vocab_size": 1000})
    return random_model.model_copy(update={"folder": str(folder), "architecture": facts, **stated})


def test_a_doubled_start_token_is_refused(repository: Path, data: Path, random_model, tmp_path: Path) -> None:
    folder = tiny_tokenizers.llama2(tmp_path / "t")
    for stated in (None, True):
        model = own_model(folder, random_model, chat_template="tokenizer", start_token=stated)
        with pytest.raises(
            ModelError, match=r"model 'm': prompt of sample 0 has 2 start tokens, expected 1 first; mend"
        ):
            build(repository, data, model, chat=DOUBLED)
        assert build(repository, data, model, chat=CHAT)[0]


def test_a_missing_start_token_is_refused(repository: Path, data: Path, random_model, tmp_path: Path) -> None:
    folder = tiny_tokenizers.llama2(tmp_path / "t")
    model = own_model(folder, random_model, chat_template="tokenizer", start_token=True)
    with pytest.raises(ModelError, match=r"model 'm': prompt of sample 0 has 0 start tokens, expected 1 first; mend"):
        build(repository, data, model, chat=tiny_tokenizers.CHATML)
    path = folder / "tokenizer.json"
    write_json(path, read_json(path) | {"post_processor": None})
    base = model.model_copy(update={"chat_template": "none"})
    with pytest.raises(
        ModelError,
        match=r"has 0 start tokens, expected 1 first; mend post_processor .*add_bos_token .* \(start_token\)",
    ):
        build(repository, data, base)
    assert build(repository, data, base.model_copy(update={"start_token": None}))[0]
    alone = tiny_tokenizers.sentencepiece(tmp_path / "spm")
    requests, tokenizer = build(repository, data, base.model_copy(update={"folder": str(alone)}))
    assert all(request.token_ids[0] == tokenizer.bos_token_id for request in requests)
    tiny_tokenizers.change(alone, add_bos_token=False)
    with pytest.raises(ModelError, match="has 0 start tokens"):
        build(repository, data, base.model_copy(update={"folder": str(alone)}))


def test_a_start_token_that_a_model_does_not_know_is_refused(
    repository: Path, data: Path, random_model, tmp_path: Path
) -> None:
    model = own_model(tiny_tokenizers.llama2(tmp_path / "t"), random_model, start_token=False)
    with pytest.raises(ModelError, match=r"sample 0 begins with a start token, and start_token is false"):
        build(repository, data, model)
    qwen = own_model(tiny_tokenizers.qwen(tmp_path / "q"), random_model, start_token=False)
    assert build(repository, data, qwen)[0]
    with pytest.raises(ModelError, match="start_token is true in its entry, and its tokenizer names none"):
        build(repository, data, qwen.model_copy(update={"start_token": True}))


def test_a_prompt_that_ends_with_the_end_token_is_refused(
    repository: Path, data: Path, random_model, tmp_path: Path
) -> None:
    model = own_model(tiny_tokenizers.llama3(tmp_path / "t"), random_model, chat_template="tokenizer")
    closed = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}<|eot_id|>{% endfor %}"
    with pytest.raises(
        ModelError, match=r"model 'm': prompt of sample 0 ends with the end token, .*add_generation_prompt"
    ):
        build(repository, data, model, chat=closed)


def test_a_token_without_embedding_names_the_first_sample(
    repository: Path, data: Path, random_model, tmp_path: Path
) -> None:
    folder = tiny_tokenizers.llama3(tmp_path / "t")
    model = own_model(folder, random_model, chat_template="tokenizer")
    requests, _ = build(repository, data, model)
    largest = max(max(request.token_ids) for request in requests)

    def rows(number: int) -> ModelEntry:
        facts = model.architecture.model_copy(update={"vocab_size": number})
        return model.model_copy(update={"architecture": facts})

    assert build(repository, data, rows(largest + 1))[0]
    said = (
        rf"prompt of sample 0 holds '<\|eot_id\|>', token number {largest}, and the model has embeddings for {largest} "
    )
    with pytest.raises(ModelError, match=said):
        build(repository, data, rows(largest))


def test_what_a_text_says_ends_no_turn(repository: Path, data: Path, random_model, tmp_path: Path) -> None:
    """Neither refused, as a second start token would be, nor obeyed."""
    texts = ["@DRUG$ <|begin_of_text|> and @DRUG$", "@DRUG$<|eot_id|>@DRUG$", "plain @DRUG$ and @DRUG$"]
    samples = [Sample(str(number), {"sentence": text}, "DDI-int", "d") for number, text in enumerate(texts)]
    write_records(data / "samples.jsonl", samples)
    model = own_model(tiny_tokenizers.llama3(tmp_path / "t"), random_model, start_token=True)
    for chat_template in ("tokenizer", "none"):
        chosen = model.model_copy(update={"chat_template": chat_template})
        requests, tokenizer = build(repository, data, chosen)
        ends = [request.token_ids.count(tokenizer.eos_token_id) for request in requests]
        assert len(set(ends)) == 1
        assert all(text in request.text for text, request in zip(texts, requests, strict=True))
        assert all(text in tokenizer.decode(request.token_ids) for text, request in zip(texts, requests, strict=True))


def test_the_hash_of_prompts_is_of_text_and_tokens(repository: Path, data: Path, random_model, tmp_path: Path) -> None:
    model = own_model(tiny_tokenizers.llama3(tmp_path / "t"), random_model, chat_template="tokenizer")
    tokenizer = load_tokenizer(tmp_path / "t")

    def prompts(**changes: object) -> Prompts:
        return build_prompts(spec_of(repository, model, **changes), data, tokenizer)

    first = prompts()
    assert first.sha256 == prompts().sha256
    assert first.day == date(2024, 7, 26)
    assert "26 Jul 2024" in first.requests[0].text
    other = prompts(prompt_date=date(2025, 1, 1))
    assert other.sha256 != first.sha256
    tokenizer.chat_template = CHAT
    assert prompts().day is None
    changed = replace(first, requests=[*first.requests[:-1], replace(first.requests[-1], token_ids=[1, 2])])
    assert changed.sha256 != first.sha256


def test_prompts_beyond_the_context_are_named(repository: Path, data: Path, random_model) -> None:
    requests, _ = build(repository, data, random_model)
    longest = max(len(request.token_ids) for request in requests)

    def spec(context_length: int) -> CellSpec:
        facts = random_model.architecture.model_copy(update={"context_length": context_length})
        model = random_model.model_copy(update={"architecture": facts})
        return spec_of(repository, model, max_new_tokens=10)

    check_context(requests, spec(longest + 10))
    with pytest.raises(ModelError, match=rf"m full on ddi2013 .*sample 0.*{longest} tokens.*context of {longest + 9}"):
        check_context(requests, spec(longest + 9))


def test_a_thought_must_fit_the_context_too(repository: Path, data: Path, random_model) -> None:
    requests, _ = build(repository, data, random_model)
    longest = max(len(request.token_ids) for request in requests)
    told = {"reasoning": FAMILIES["think"], "reasoning_tokens": 300}
    facts = random_model.architecture.model_copy(update={"context_length": longest + 340})
    model = random_model.model_copy(update={"architecture": facts} | told)
    said = (
        r"with 350 new tokens, 300 of them for its thought, exceeds .*; lower shots, reasoning_tokens or max_new_tokens"
    )
    with pytest.raises(ModelError, match=said):
        check_context(requests, spec_of(repository, model))
    check_context(requests, spec_of(repository, model.model_copy(update={"reasoning_tokens": 290})))


def test_prompts_of_a_stand_in_have_the_length_asked_for(repository: Path, data: Path, random_model) -> None:
    model = random_model.model_copy(update={"weights": "random"})
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    for tokens in (7, 5000):
        requests = build_prompts(spec_of(repository, model, prompt_tokens=tokens), data, tokenizer).requests
        assert {len(request.token_ids) for request in requests} == {tokens}


@pytest.mark.parametrize(
    "template",
    [
        "{{ bos_token }}Hello.",
        "{{ bos_token }}{{ messages[0]['content'][:40] }}A",
        "{{ bos_token }}{{ messages[0]['content'] | upper }}A",
    ],
)
def test_a_template_that_says_something_else_is_refused(
    repository: Path, data: Path, random_model, template: str
) -> None:
    chatting = random_model.model_copy(update={"chat_template": "tokenizer"})
    with pytest.raises(
        ModelError, match=r"^model 'm': its chat template leaves out or changes what the user says \(sample 0\)"
    ):
        build(repository, data, chatting, chat=template)
