"""Chat templates: the same prompt on every day, the template that is meant, and what a template refuses in one line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests import tiny_tokenizers

from quantbench.config import ModelEntry, read_entries
from quantbench.contracts.files import write_json
from quantbench.errors import ModelError
from quantbench.models.chat import Chat, find_chat
from quantbench.models.tokenizing import load_tokenizer

DAY = date(2024, 7, 26)
# At every moment it is not the same day in these two places.
FIRST_AND_LAST = ("Etc/GMT+12", "Etc/GMT-14")
FORMATS = ["%d %b %Y", "%B %d, %Y", "%Y-%m-%d", "%A", "%H:%M:%S", "%j"]


@pytest.fixture(scope="module")
def entry(repository: Path) -> ModelEntry:
    return read_entries(repository / "config/models", ModelEntry)["llama-3.3-70b"]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts the clock's zone back."""
    yield
    monkeypatch.undo()
    time.tzset()


def chat(source: str, day: date = DAY, **told: object) -> Chat:
    return Chat("m", source, {"bos_token": "<s>"}, day, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [tiny_tokenizers.LLAMA3_DATED, *(f"{{{{ strftime_now('{f}') }}}}" for f in FORMATS)])
def test_a_prompt_is_the_same_on_every_day(
    source: str, monkeypatch: pytest.MonkeyPatch, elsewhere: Iterator[None]
) -> None:
    found = []
    for zone in FIRST_AND_LAST:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found.append(chat(source).render("hello"))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024"),
        ("{% macro day() %}{{ strftime_now('%Y-%m-%d') }}{% endmacro %}{{ day() }}", "2024-07-26"),
        (
            "{% if date_string is not defined %}{% set date_string = '1 Jan 2020' %}{% endif %}{{ date_string }}",
            "26 Jul 2024",
        ),
        (
            "{% if date_string is not defined %}{% set date_string = strftime_now('%y') %}{% endif %}{{ date_string }}",
            "24",
        ),
    ],
)
def test_a_template_that_asks_is_told_the_configured_day(source: str, expected: str) -> None:
    assert chat(source).render("hello") == expected
    assert chat(source).shows_day("hello")
    assert chat(source, date(2031, 2, 3)).render("hello") != expected


def test_a_template_that_does_not_ask_shows_no_day() -> None:
    assert not chat(tiny_tokenizers.CHATML).shows_day("hello")
    assert not chat("{% set date_string = 'never' %}{{ messages[0].content }}").shows_day("hello")


def test_a_template_that_rolls_dice_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"model 'm': its chat template makes another prompt of the same text each time"
    ):
        chat("{{ range(1000) | random }}{{ range(1000) | random }}").check("hello")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ raise_exception('System role not supported') }}", "System role not supported"),
        ("{{ raise_exception('Roles must\\nalternate') }}", "Roles must alternate"),
        ("{% for m in messages %}{{ m['name'].upper() }}{% endfor %}", "has no attribute"),
        ("{{ messages[0]['content'] + 1 }}", "can only concatenate str"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{% for m in messages %}", "Unexpected end of template"),
        ("{{ messages.clear() }}", "access to attribute 'clear' of 'list' object is unsafe; mend"),
        ("{{ 'a' * 10 ** 11 }}", "makes or reads more text than a prompt needs"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "takes more steps"),
        ("{{ messages[0].content }}\n{{ lipsum(10 ** 9) }}", "line 2: 'lipsum' is undefined"),
    ],
)
def test_what_a_template_refuses_is_said_in_one_line(source: str, said: str) -> None:
    with pytest.raises(ModelError) as refused:
        chat(source).render("hello")
    message = str(refused.value)
    assert message.startswith("model 'm': its chat template refuses a prompt of one user turn: ")
    assert said in message
    assert "\n" not in message
    assert message.endswith("or set chat_template: none in its entry")


ROLES = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] | trim }}{% endfor %}<assistant>"
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + ROLES
)


def test_a_system_prompt_comes_before_the_users_turn() -> None:
    told = chat(ROLES, system_prompt="Be brief.")
    told.check("hello")
    assert told.render("hello") == "<system>Be brief.<user>hello<assistant>"
    assert chat(ROLES).render("hello") == "<user>hello<assistant>"


def test_without_one_the_templates_own_default_holds() -> None:
    default = "{% if messages[0]['role'] != 'system' %}<system>I am M.{% endif %}" + ROLES
    assert chat(default).render("hello") == "<system>I am M.<user>hello<assistant>"
    assert chat(default, system_prompt="Be brief.").render("hello") == "<system>Be brief.<user>hello<assistant>"


def test_a_template_that_knows_no_system_role_says_so_in_one_line() -> None:
    chat(NO_SYSTEM).check("hello")
    with pytest.raises(ModelError) as refused:
        chat(NO_SYSTEM, system_prompt="Be brief.").check("hello")
    assert str(refused.value) == (
        "model 'm': its chat template refuses a system prompt: line 1: System role not supported; take system_prompt out of its entry "
        "(with protocol.chat: as_published, of as_published there), or mend the template in its folder"
    )


def test_a_template_that_refuses_any_turn_is_not_blamed_on_the_system_prompt() -> None:
    with pytest.raises(ModelError, match="refuses a prompt of one user turn: line 1: no; mend"):
        chat("{{ raise_exception('no') }}", system_prompt="Be brief.").render("hello")


def test_a_template_that_says_nothing_of_the_system_prompt_is_refused() -> None:
    silent = "{{ messages[-1]['content'] }}"
    with pytest.raises(
        ModelError, match=r"^model 'm': its chat template leaves the system prompt out; take system_prompt out"
    ):
        chat(silent, system_prompt="Be brief.").check("hello")


def test_the_entrys_system_prompt_is_told(tmp_path: Path, entry: ModelEntry) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.qwen(tmp_path))
    tokenizer.chat_template = ROLES
    told = entry.model_copy(update={"system_prompt": "Be brief."})
    assert find_chat(tokenizer, "m", told, DAY).render("hi") == "<system>Be brief.<user>hi<assistant>"


def several(folder: Path, templates: dict[str, str], way: str) -> Path:
    """A tokenizer with several templates, in one of the two ways they are published."""
    tiny_tokenizers.qwen(folder)
    if way == "list":
        return tiny_tokenizers.change(
            folder, chat_template=[{"name": name, "template": text} for name, text in templates.items()]
        )
    tiny_tokenizers.change(folder, chat_template=None)
    for name, text in templates.items():
        place = folder if name == "default" else folder / "additional_chat_templates"
        place.mkdir(exist_ok=True)
        (place / ("chat_template.jinja" if name == "default" else f"{name}.jinja")).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("way", ["list", "files"])
def test_of_several_templates_the_default_is_used_and_the_others_are_said(
    tmp_path: Path, entry: ModelEntry, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    templates = {"default": tiny_tokenizers.CHATML, "rag": "RAG", "tool_use": "TOOL"}
    tokenizer = load_tokenizer(several(tmp_path, templates, way))
    assert find_chat(tokenizer, "m", entry, DAY).render("hi").startswith("<|im_start|>user")
    said = "model 'm': chat template 'default' is used; its tokenizer also has rag, tool_use (chat_template_name)"
    assert capsys.readouterr().err == f"{said}\n"
    named = entry.model_copy(update={"chat_template_name": "rag"})
    assert find_chat(tokenizer, "m", named, DAY).render("hi") == "RAG"
    unknown = entry.model_copy(update={"chat_template_name": "rga"})
    with pytest.raises(ModelError, match=r"no chat template named 'rga'; set .* to one of default, rag, tool_use$"):
        find_chat(tokenizer, "m", unknown, DAY)


def test_several_templates_without_a_default_need_a_name(tmp_path: Path, entry: ModelEntry) -> None:
    tokenizer = load_tokenizer(several(tmp_path, {"rag": "RAG", "tool_use": "TOOL"}, "list"))
    with pytest.raises(
        ModelError, match=r"model 'm': .* no chat template by default; set chat_template_name .* rag, tool"
    ):
        find_chat(tokenizer, "m", entry, DAY)


def test_special_tokens_are_told_as_the_tokenizer_names_them(tmp_path: Path, entry: ModelEntry) -> None:
    folder = tiny_tokenizers.llama2(tmp_path)
    write_json(folder / "special_tokens_map.json", {"bos_token": "<s>"})
    assert find_chat(load_tokenizer(folder), "m", entry, DAY).render(" hi ") == "<s>[INST] hi [/INST]"


def test_what_is_no_template_is_named(tmp_path: Path, entry: ModelEntry) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.qwen(tmp_path))
    tokenizer.chat_template = 5
    with pytest.raises(
        ModelError, match=r"chat_template in its tokenizer_config\.json has the value 5; a template, or a list"
    ):
        find_chat(tokenizer, "m", entry, DAY)
