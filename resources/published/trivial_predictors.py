"""What answers score that know nothing, or know everything and write it otherwise: both scorings on each published test set.

An answer is a text, as a model would write it, and each scoring reads it for itself. Answers by chance are the mean of
ten draws, for entities, which take longest to read, of three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from statistics import fmean

import numpy as np
from test_sets import TestSet

from quantbench.contracts.csv_rows import Row
from quantbench.tasks import published_answer
from quantbench.tasks.kinds.question_answering import DECISIONS

SEED = 2509
DRAWS, DRAWS_OF_ENTITIES = 10, 3

Outputs = list[str]
Predictor = Callable[[TestSet, np.random.Generator], Outputs]


class PredictorRow(Row):
    """One predictor on one test set."""

    task: str
    dataset: str
    predictor: str
    samples: int
    as_published: float  # by the convention that Table 1 was probably scored by
    ours: float


def _always(text: str) -> Predictor:
    return lambda test, _: [text] * len(test.samples)


def _most_frequent(test: TestSet, _: np.random.Generator) -> Outputs:
    return [_by_frequency(test)[0]] * len(test.samples)


def _rarest(test: TestSet, _: np.random.Generator) -> Outputs:
    return [_by_frequency(test)[-1]] * len(test.samples)


def _first(test: TestSet, _: np.random.Generator) -> Outputs:
    return [_inventory(test)[0]] * len(test.samples)


def _one_by_chance(test: TestSet, generator: np.random.Generator) -> Outputs:
    return list(generator.choice(_inventory(test), size=len(test.samples)))


def _all_labels(test: TestSet, _: np.random.Generator) -> Outputs:
    return ["; ".join(_inventory(test))] * len(test.samples)


def _each_label_by_chance(test: TestSet, generator: np.random.Generator) -> Outputs:
    labels = _inventory(test)
    drawn = generator.random((len(test.samples), len(labels))) < 0.5
    return ["; ".join(label for label, taken in zip(labels, row, strict=True) if taken) or "none" for row in drawn]


def _copy(test: TestSet, _: np.random.Generator) -> Outputs:
    return [str(sample.inputs["text"]) for sample in test.samples]


def _sentence_tagged(test: TestSet, _: np.random.Generator) -> Outputs:
    return [_tagged(str(sample.inputs["text"])) for sample in test.samples]


def _every_word_tagged(test: TestSet, _: np.random.Generator) -> Outputs:
    return [" ".join(map(_tagged, str(sample.inputs["text"]).split(" "))) for sample in test.samples]


def _words_tagged_by_chance(test: TestSet, generator: np.random.Generator) -> Outputs:
    sentences = [str(sample.inputs["text"]).split(" ") for sample in test.samples]
    return [
        " ".join(
            _tagged(word) if coin < 0.5 else word
            for word, coin in zip(words, generator.random(len(words)), strict=True)
        )
        for words in sentences
    ]


def _gold(test: TestSet, _: np.random.Generator) -> Outputs:
    return test.written


def _gold_in_other_case(test: TestSet, _: np.random.Generator) -> Outputs:
    if test.entry.task == "named_entity_recognition":
        return [_other_case_inside_tags(text) for text in test.written]
    return ["; ".join(map(_other_case, text.split("; "))) for text in test.written]


def _gold_and_three_more(test: TestSet, _: np.random.Generator) -> Outputs:
    return [_three_more_tagged(text) for text in test.written]


def _inventory(test: TestSet) -> list[str]:
    """The labels in the order of the dataset's entry; of questions, the letters that occur, or yes, no and maybe."""
    return list(test.entry.labels) or [one for one in DECISIONS if one in test.written] or sorted(set(test.written))


def _by_frequency(test: TestSet) -> list[str]:
    return [text for text, _ in Counter(one for text in test.written for one in text.split("; ")).most_common()]


def _tagged(text: str) -> str:
    return f"<span>{text}</span>"


def _other_case(text: str) -> str:
    return text.lower() if text != text.lower() else text.capitalize()


def _other_case_inside_tags(text: str) -> str:
    outside, *rest = text.split("<span>")
    inside = [piece.partition("</span>") for piece in rest]
    return outside + "".join(_tagged(_other_case(name)) + behind for name, _, behind in inside)


def _three_more_tagged(text: str) -> str:
    words, left, inside = text.split(" "), 3, False
    for place, word in enumerate(words):
        inside = inside or "<span>" in word
        if not inside and left:
            words[place], left = _tagged(word), left - 1
        inside = inside and "</span>" not in word
    return " ".join(words)


_LABELS: dict[str, Predictor] = {
    "every label": _all_labels,
    "always the most frequent label": _most_frequent,
    "always the first label of the inventory": _first,
    "one label by chance": _one_by_chance,
    "each label by the toss of a coin": _each_label_by_chance,
}
_CLASSES: dict[str, Predictor] = {
    "always negative (the most frequent class)": _most_frequent,
    "always the first class of the inventory": _first,
    "a class by chance": _one_by_chance,
    "every class in a list": _all_labels,
}
_ENTITIES: dict[str, Predictor] = {
    "a copy without tags": _copy,
    "the whole sentence tagged": _sentence_tagged,
    "every word tagged": _every_word_tagged,
    "each word tagged by the toss of a coin": _words_tagged_by_chance,
}
_CHOICES: dict[str, Predictor] = {
    "always the most frequent answer": _most_frequent,
    "always the first option": _first,
    "always the rarest answer": _rarest,
    "an answer by chance": _one_by_chance,
}
_ANY: dict[str, Predictor] = {
    "nothing": _always(""),
    "all right": _gold,
    "all right, in other letter case": _gold_in_other_case,
}
PREDICTORS = {
    "multi_label_classification": _LABELS | _ANY,
    "named_entity_recognition": _ENTITIES | _ANY | {"all right, and three other words tagged": _gold_and_three_more},
    "relation_extraction": _CLASSES | _ANY,
    "question_answering": _CHOICES | _ANY,
}


def predictor_rows(test: TestSet) -> Iterator[PredictorRow]:
    """Score every predictor of a test set's task."""
    by_chance = DRAWS_OF_ENTITIES if test.entry.task == "named_entity_recognition" else DRAWS
    for name, predictor in PREDICTORS[test.entry.task].items():
        draws = by_chance if "chance" in name or "coin" in name else 1
        outputs = [predictor(test, np.random.default_rng((SEED, draw))) for draw in range(draws)]
        yield PredictorRow(
            task=test.entry.task,
            dataset=test.name,
            predictor=name,
            samples=len(test.samples),
            as_published=fmean(_as_published(test, one) for one in outputs),
            ours=fmean(_ours(test, one) for one in outputs),
        )


def _as_published(test: TestSet, outputs: Outputs) -> float:
    return test.convention.value([published_answer([text], reasoned=False) for text in outputs], test.golds)


def _ours(test: TestSet, outputs: Outputs) -> float:
    answers = [test.task.parse(text, sample).value for text, sample in zip(outputs, test.samples, strict=True)]
    return test.task.metric.value(test.task.counts(answers, test.golds).sum(axis=0))
