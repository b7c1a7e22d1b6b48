"""Phrases of texts, found whatever stands around them, and nothing else."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.privacy import QUOTED, Phrases, Text
from quantbench.privacy.compared_words import views, words

NOTE = 'Frau Çelik, geb. 3.4.1951, fell beside "bed 7" & asked for her hörgerät twice; pain <8/10 since noon.'
PHRASES = Phrases([Text("note 1", NOTE)])


def holds(phrases: Phrases, text: str) -> bool:
    return any(phrases.find(view) is not None for view in views(text))


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: text,
        str.upper,
        lambda text: text.replace(" ", "\n\t  "),
        lambda text: text.replace(" ", "\u00a0\u200b"),
        lambda text: "".join(f"{letter}\u00ad" for letter in text),
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: json.dumps({"a": text}, ensure_ascii=False),
        html.escape,
        lambda text: "".join(f"&#{ord(letter)};" for letter in text),
        lambda text: html.escape(json.dumps(html.escape(text))),
        quote,
        repr,
        ascii,
        lambda text: text.replace("fell", "**fell**").replace("asked", "<span>asked</span>"),
        lambda text: text.replace("hör", "h<b>ö</b>r"),
        lambda text: "\n".join(f"{word}\tO" for word in text.split()),
        lambda text: f"before all of this {text} and after",
        lambda text: " ".join(words(text)[4:10]),
    ],
)
def test_a_text_is_found_in_any_disguise(disguise: object) -> None:
    assert callable(disguise)
    assert holds(PHRASES, disguise(NOTE))


def test_fewer_words_in_a_row_are_none_of_a_text() -> None:
    said = words(NOTE)
    assert all(PHRASES.find(said[start : start + 5]) is None for start in range(len(said)))
    assert PHRASES.find([*said[:5], "else", *said[5:10]]) is None
    match = PHRASES.find(["one", "more", *said[3:9]])
    assert match is not None and (match.text, match.words, match.position) == ("note 1", 6, 2)


def test_short_texts_are_searched_for_whole() -> None:
    phrases = Phrases([Text("a", "Slept well."), Text("b", "Wound red and warm.")])
    assert phrases.too_short == 1
    assert holds(phrases, "the WOUND, red -- and warm, was seen") and not holds(phrases, "slept well; wound red")


def test_rows_of_numbers_tell_nothing() -> None:
    phrases = Phrases([Text("a", "Na 140 K 4 Cl 100 1 2 3 4 5 6 7 8"), Text("b", "very very very very very very old")])
    assert not holds(phrases, "140,4,100,1,2,3,4,5,6,7,8") and not holds(phrases, "very " * 9)
    assert holds(phrases, "Na 140 K 4 Cl 100")


def test_what_everybody_has_counts_for_nobody() -> None:
    prompt = "Answer with the names of all labels that apply."
    phrases = Phrases([Text("a", f"{prompt} Herr Groß fell off the ladder again")], [prompt])
    assert not holds(phrases, prompt) and holds(phrases, "HERR GROSS FELL OFF THE LADDER")


def test_of_published_texts_a_few_words_may_be_quoted() -> None:
    text = " ".join(f"word{number}" for number in range(20))
    phrases = Phrases([Text("a", text)], lengths=QUOTED)
    assert not holds(phrases, text[: text.index(" word12")]) and holds(phrases, text[: text.index(" word13")])


def test_scripts_without_blanks_are_read_letter_by_letter() -> None:
    assert holds(Phrases([Text("a", "患者は昨夜ベッドから落ちた")]), "「昨夜ベッドから」")


_WORDS = st.lists(st.sampled_from(["ab", "cd", "ef", "gh", "ij", "kl"]), min_size=0, max_size=40)


@settings(max_examples=60, deadline=None)
@given(_WORDS, _WORDS)
def test_phrases_are_found_exactly_where_a_plain_comparison_finds_them(own: list[str], other: list[str]) -> None:
    length = min(6, len(own))
    wanted = {
        tuple(own[start : start + length])
        for start in range(len(own) - length + 1)
        if length >= 4 and len(set(own[start : start + length])) >= 3
    }
    places = [start for start in range(len(other) - length + 1) if tuple(other[start : start + length]) in wanted]
    match = Phrases([Text("a", " ".join(own))]).find(other)
    assert (match.position if match else None) == (places[0] if places else None)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert all(isinstance(view, list) for view in views(text))


def test_memory_is_some_bytes_a_word() -> None:
    random = np.random.default_rng(1)
    texts = [Text(str(number), " ".join(map(str, random.integers(10**6, size=200)))) for number in range(50)]
    phrases = Phrases([Text(text.name, text.content.replace("1", "x")) for text in texts])
    tables = [array for table in phrases._tables.values() for array in table]
    assert sum(array.nbytes for array in tables) <= 12 * 50 * 200
