"""Refusals as chat models phrase them, apart from answers, from what a text does not tell, and from mere noise."""

import pytest

from quantbench.config import load
from quantbench.config.settings import read_yaml
from quantbench.contracts.records import Sample
from quantbench.scoring import Outputs, score_predictions
from quantbench.statistics import Bootstrap
from quantbench.tasks.refusals import is_refusal

REFUSALS = [
    "I'm sorry, but I can't assist with that.",
    "I\u2019m sorry, but I can\u2019t help with that request.",
    "I'm sorry, I can't do that.",
    "I cannot provide medical advice. Please consult a healthcare professional.",
    "I can't provide a diagnosis. If you have concerns about your health, please see a doctor.",
    "Sorry, but I am unable to provide medical advice or answer questions about a patient's treatment.",
    "As an AI language model, I don't have personal opinions about clinical decisions.",
    "As an artificial intelligence, I must refrain from giving a diagnosis.",
    "I am just an AI and not a doctor, so please talk to your physician.",
    "I'm not able to help with questions about specific drugs.",
    "I must respectfully decline to answer this question.",
    "I will not answer questions that involve self-harm.",
    "It would not be appropriate for me to recommend a drug.",
    "This request goes against my programming and ethical guidelines; it is against my guidelines.",
    "I apologize, but I cannot fulfill your request as it involves harmful substances.",
    "I'm not qualified to make that judgement.",
    "**I cannot engage in this discussion.**",
    "I'm sorry, but I cannot",
]
OTHERS = [
    "",
    "The patient cannot provide a history.",
    "I cannot determine the answer from the given context.",
    "I cannot answer this question based on the information provided.",
    "There is not enough information to decide.",
    "It is not possible to tell which class applies.",
    "I don't know.",
    "I think it could be A or B.",
    "None of these options can help with pain.",
    "Sentence: we could not provide evidence of an interaction. Sentence:",
    "The drug declined to 5 mg. The AI model refused.",
    "I cannot provide an answer without the abstract.",
    "sorry sorry sorry sorry",
    "The guidelines do not recommend it.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_known_by_its_words(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_answer_is_not_for_that_a_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_only_what_cannot_be_read_is_refused_and_scores_stay(repository) -> None:
    entry = load(repository, read_yaml(repository / "config/config.yaml"), "test").datasets["pubmedqa"]
    samples = [
        Sample(str(place), {"question": "Does it?", "context": "It does."}, "yes", str(place)) for place in range(5)
    ]
    texts = [
        ["As an AI language model, I would say: yes"],  # an answer, with a preamble
        ["I'm sorry, but I can't help with that."],
        ["<think>I cannot help with this. No, I can.</think>\nSomething else entirely"],
        ["I cannot provide medical advice.", "I can't assist with that.", "perhaps, perhaps not"],
        ["yes", "I can't assist with that.", "I can't assist with that."],
    ]
    predictions = [Outputs(str(place), outputs) for place, outputs in enumerate(texts)]
    answers, scores = score_predictions(predictions, samples, entry, Bootstrap(10, 1))
    assert [answer.parsed_ok for answer in answers] == [True, False, False, False, True]
    assert scores.unparseable_rate == pytest.approx(3 / 5)
    assert scores.refused_rate == pytest.approx(2 / 5)
    assert scores.value == pytest.approx(2 / 5)
