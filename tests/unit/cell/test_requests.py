"""Prompts as token ids: worked examples, chat templates, and exactly one start token."""

from dataclasses import replace
from pathlib import Path

import pytest

from quantbench.cell.requests import build_requests, check_context
from quantbench.config import FAMILIES, ModelEntry, load
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.records import Sample, write_records
from quantbench.errors import DataError, ModelError
from quantbench.models.tokenizing import load_tokenizer
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
    return build_requests(spec_of(repository, model, shots), data, tokenizer), tokenizer


def test_worked_examples_come_in_order_with_their_answers(repository: Path, data: Path, random_model) -> None:
    requests, tokenizer = build(repository, data, random_model, shots=2)
    assert [request.sample_id for request in requests] == ["0", "1", "2"]
    text = requests[1].text
    assert text.index("shot 0") < text.index("Class: DDI-false") < text.index("shot 1") < text.index("text 1")
    assert "DDI-int\n" not in text.split("Answer with")[1]
    assert tokenizer.decode(requests[1].token_ids) == text


def test_fewer_worked_examples_than_shots_is_an_error(repository: Path, data: Path, random_model) -> None:
    with pytest.raises(DataError, match=r"shots\.jsonl: 2 worked examples, m full on ddi2013 .* needs 3"):
        build(repository, data, random_model, shots=3)


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


class _StartsTexts:
    """A tokenizer that puts its start token first, as Llama's does."""

    def __init__(self, tokenizer) -> None:
        self._tokenizer = tokenizer
        self.bos_token_id = tokenizer.bos_token_id
        self.chat_template = DOUBLED
        self.apply_chat_template = tokenizer.apply_chat_template

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return {"input_ids": [self.bos_token_id, *ids] if add_special_tokens else ids}


def test_a_doubled_start_token_is_refused(repository: Path, data: Path, random_model) -> None:
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    tokenizer.chat_template = DOUBLED
    model = random_model.model_copy(update={"chat_template": "tokenizer"})
    with pytest.raises(ModelError, match="2 start tokens, expected 1 first"):
        build_requests(spec_of(repository, model), data, _StartsTexts(tokenizer))


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
        requests = build_requests(spec_of(repository, model, prompt_tokens=tokens), data, tokenizer)
        assert {len(request.token_ids) for request in requests} == {tokens}
