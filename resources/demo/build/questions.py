"""Miniatures of MedQA (facts to be known, options to be found) and PubMedQA (the right one of two results to be read)."""

from __future__ import annotations

from random import Random
from typing import Any

import names
from slots import Item, Scribe, listed, sentence, weighted, words

_POINTING = ["{findings} point to {name}.", "This is {name}.", "{findings} fit {name}."]
_READING = ["The text says: {result}", "On this point: {result}", "{result}"]
_PAIRED = 0.5  # of the wrong options come from conditions that share a finding, where there are any
_SECOND_RESULT = 0.6
_VAGUE = 0.15  # of dev and test questions of MedQA: complaints that fit every condition
_DISPUTED = 0.1  # of dev and test decisions of PubMedQA: annotators who saw it otherwise
_BRIEF, _BRIEF_FRAME = 0.4, "{f1} and {f2}. {ask}"  # of varied items: nothing but what the answer takes


def medqa(split: str, number: int, rng: Random, general: bool = False, varied: bool = False) -> Item:
    """One row: unnamed row number, ``meta_info``, ``question``, ``answer_idx``, ``answer``, ``options``."""
    source = words("medqa")
    facts = {**source["facts"]["plain"], **(words("general")["facts"] if general else source["facts"]["technical"])}
    scribe, name = Scribe(split, rng, varied), rng.choice(list(facts))
    kind = rng.choice(list(source["asks"]))
    answer = name if kind == "diagnosis" else facts[name][kind]
    options = [answer, *_wrong_options(facts, name, kind, answer, rng)]
    rng.shuffle(options)
    shown = rng.sample(source["vague"] if scribe.slips(_VAGUE) else facts[name]["findings"], 3)
    others = {f for other in facts.values() for f in other["findings"]} - set(facts[name]["findings"])
    own = {
        "f1": shown[0],
        "f2": shown[1],
        "f3": shown[2],
        "other": rng.choice(sorted(others)),
        "ask": scribe.choose(source["asks"][kind][split], fixed=True),
        "person": rng.choice(source["persons"][split]),
    }
    frame = _BRIEF_FRAME if varied and rng.random() < _BRIEF else scribe.choose(source["frames"][split])
    question = "\n".join(map(sentence, scribe.fill(frame, own).split("\n")))
    seen = [finding for finding in shown if finding.lower() in question.lower()]
    reasoning = sentence(rng.choice(_POINTING).format(findings=listed(seen), name=name))
    if kind != "diagnosis":
        reasoning += f" The {kind} is {answer}."
    letters = "ABCDE"
    fields = {
        "": str(number),
        "meta_info": rng.choice(["step1", "step2&3"]),
        "question": question,
        "answer_idx": letters[options.index(answer)],
        "answer": answer,
        "options": str([{"key": key, "value": value} for key, value in zip(letters, options, strict=True)]),
    }
    return scribe.item(fields, reasoning)


def _wrong_options(facts: dict[str, Any], name: str, kind: str, answer: str, rng: Random) -> list[str]:
    def option(other: str) -> str:
        return other if kind == "diagnosis" else str(facts[other][kind])

    near = [other for other in facts if other != name and set(facts[other]["findings"]) & set(facts[name]["findings"])]
    chosen: list[str] = []
    while len(chosen) < 4:
        other = rng.choice(near if near and rng.random() < _PAIRED and len(chosen) < 2 else list(facts))
        if other != name and option(other) not in (*chosen, answer):
            chosen.append(option(other))
    return chosen


def pubmedqa(split: str, number: int, rng: Random, general: bool = False, varied: bool = False) -> Item:
    """One row of PubMedQA's columns; two results in most contexts, of which the question asks for one."""
    source, everyday = words("pubmedqa"), words("general")
    scribe = Scribe(split, rng, varied)
    decision = weighted(rng, source["weights"])
    outcomes = source["outcomes"]["plain"] if general else source["outcomes"]["plain"] + source["outcomes"]["technical"]
    asked, other = rng.sample(outcomes, 2)
    exposure = rng.choice(everyday["things"]) if general else scribe.name(names.chemical)
    fixed = {"X": exposure, "P": rng.choice(source["patients"][split])}
    results = everyday["question_results"] if general else {key: source[key][split] for key in ("yes", "no", "maybe")}
    result = sentence(scribe.fill(scribe.choose(results[decision], fixed=True), {**fixed, "Y": asked}))
    contexts = [result]
    brief = varied and rng.random() < _BRIEF
    if rng.random() < _SECOND_RESULT and not brief:
        second = rng.choice([key for key in results if key != decision])
        contexts.append(sentence(scribe.fill(scribe.choose(results[second], fixed=True), {**fixed, "Y": other})))
    rng.shuffle(contexts)
    if not brief:
        contexts.insert(0, sentence(scribe.fill(scribe.choose(source["setting"][split]), fixed)))
    question = sentence(scribe.fill(scribe.choose(source["questions"][split]), {**fixed, "Y": asked}))
    if scribe.slips(_DISPUTED):
        decision = rng.choice([key for key in results if key != decision])
    fields = {
        "QUESTION": question,
        "CONTEXTS": str(contexts),
        "LABELS": str(["METHODS"] + ["RESULTS"] * (len(contexts) - 1)),
        "MESHES": str([asked.capitalize(), "Humans"]),
        "YEAR": str(rng.randint(1995, 2018)),
        "reasoning_required_pred": decision,
        "reasoning_free_pred": decision,
        "final_decision": decision,
        "LONG_ANSWER": result,
        "pmid": str({"train": 94_000_000, "dev": 95_000_000, "test": 96_000_000}[split] + number),
    }
    return scribe.item(fields, rng.choice(_READING).format(result=result))
