"""Answers that decline to answer: "I'm sorry, but I can't help with that", "As an AI language model, I ...".

Asked only of outputs that no answer could be read from, and it changes no score: it tells a model that will not answer from one
that answers in another form. Who says that the text does not tell has tried, and is no refusal: "I cannot determine the answer from
the given context". Nor is "we could not provide ...", which is how abstracts speak.
"""

from __future__ import annotations

import re

_REACH = 600  # characters of an output in which a refusal is looked for; it opens answers, and what base models add behind is theirs
_ACTS = (
    r"(?:assist|help|comply|fulfil+|provide|offer|give|share|answer|respond|engage|discuss|continue|proceed|do (?:that|this|so)|support|"
    r"generate|create|write|produce|classify|label|process|participate|complete|perform|diagnose|advise|recommend|prescribe|"
    r"make (?:an? )?(?:medical|clinical|diagnos\w*|treatment|such))"
)
_CANNOT = r"(?:can(?:not|'t| not)|could(?: not|n't)|will not|won't|would not|wouldn't|must not|should(?: not|n't)|do(?: not|n't))"
_NOT_ABLE = (
    r"(?:unable|not able|not allowed|not permitted|not authori[sz]ed|not programmed|not designed|not in a position)"
)
_ADVERBS = r"(?:(?:\w+ly|also|simply|just) ){0,2}"
_DECLINES = re.compile(
    rf"\bi {_ADVERBS}{_CANNOT} {_ADVERBS}{_ACTS}\b"
    rf"|\bi(?:'m| am) {_ADVERBS}{_NOT_ABLE} to {_ADVERBS}{_ACTS}\b",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"\bas an? (?:ai|a\.i\.|artificial intelligence|(?:large )?language model|virtual assistant|chatbot|digital assistant)\b"
    r"|\bi(?:'m| am) (?:just |only |merely )?an? (?:ai|artificial intelligence|(?:large )?language model|chatbot)\b"
    r"|\bi(?: (?:must|have to|need to|will|would)| respectfully)*(?:'ll| 'd)? (?:respectfully |politely )?(?:decline|refuse)\b"
    r"|\b(?:not (?:be )?(?:appropriate|ethical|safe|responsible)|inappropriate) for me to\b"
    r"|\bi(?:'m| am) not (?:a (?:doctor|physician|medical professional|healthcare professional|lawyer)|qualified|licensed|comfortable)\b"
    r"|\b(?:against|violat\w+) (?:my|our|the|openai's|anthropic's) (?:\w+ ){0,2}(?:guidelines|polic(?:y|ies)|programming|rules|principles)\b"
    r"|\bi(?:'m| am) (?:very |so |really |truly )?sorry,? (?:but )?i (?:can(?:not|'t)|won't|am unable to)[.!\s]*\Z"
    r"|\bi(?:'m| am) (?:very |so )?sorry,? but i (?:can(?:not|'t)|won't)(?: \w+){0,2} (?:with )?(?:that|this)(?: request)?\b"
    r"|\bi (?:do not|don't|cannot|can't) (?:give|provide|offer) (?:any )?(?:medical|clinical|legal|health)\b",
    re.IGNORECASE,
)
# What a text does not tell, no one could answer.
_UNTOLD = re.compile(
    r"\b(?:without (?:more|further|additional|the|any|access)|based (?:solely |only )?on (?:the|this)|from (?:the|this)|given (?:the|this)|"
    r"not enough|insufficient|lack of|(?:does|do|did)(?: not|n't) (?:contain|provide|mention|specify|include|give|state|say)|"
    r"(?:is|are|was|were) not (?:given|provided|specified|mentioned|clear)|no (?:information|context|text|options?|abstract|sentence))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?\n]|\Z)")


def is_refusal(text: str) -> bool:
    """Tell whether a text declines to answer, in words that chat models do so.

    Args:
        text: what a model wrote behind its thought.
    """
    said = text[:_REACH].replace("\u2019", "'").replace("*", "")
    said = re.sub(r"[ \t]+", " ", said)
    if _REFUSES.search(said):
        return True
    return any(_DECLINES.search(one) and not _UNTOLD.search(one) for one in _SENTENCE.findall(said))
