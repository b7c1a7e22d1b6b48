"""Models and datasets as a run's protocol has them: applied once, where the catalogue is loaded, and seen by all that follows.

Under the sound protocol every entry is what its file says.
"""

from __future__ import annotations

from collections.abc import Mapping

from .entries import DatasetEntry
from .model_entry import ModelEntry
from .protocol import ProtocolSettings

# The dataset that `slips.pubmedqa_examples_from_test` speaks of.
_PUBMEDQA = "pubmedqa"


def models_under(protocol: ProtocolSettings, models: Mapping[str, ModelEntry]) -> dict[str, ModelEntry]:
    """The models as a protocol asks and loads them.

    Models whose entry does not say how the authors asked them are asked as it says otherwise. The number format of weights that
    were published quantized is their makers'.
    """
    return {name: _loaded(protocol, _asked(protocol, entry)) for name, entry in models.items()}


def datasets_under(protocol: ProtocolSettings, datasets: Mapping[str, DatasetEntry]) -> dict[str, DatasetEntry]:
    """The datasets as a protocol takes worked examples from them."""
    found = dict(datasets)
    if protocol.slips.pubmedqa_examples_from_test and _PUBMEDQA in found:
        entry = found[_PUBMEDQA]
        # The others stay, so that a download holds what runs under the sound protocol need, which share it.
        splits = ["test", *(split for split in entry.few_shot_splits if split != "test")]
        found[_PUBMEDQA] = entry.model_copy(update={"few_shot_splits": splits})
    return found


def _asked(protocol: ProtocolSettings, entry: ModelEntry) -> ModelEntry:
    use = entry.as_published
    if protocol.chat == "of_model" or use is None:
        return entry
    changes: dict[str, object] = {
        "chat_template": use.chat_template,
        "system_prompt": protocol.system_prompt if use.system_prompt else None,
    }
    if use.chat_template == "none":
        changes |= {"chat_template_name": None, "enable_thinking": None}
    if use.reasoning_tokens is not None:
        changes["reasoning_tokens"] = use.reasoning_tokens
    return entry.model_copy(update=changes)


def _loaded(protocol: ProtocolSettings, entry: ModelEntry) -> ModelEntry:
    if protocol.full_dtype == "of_model" or entry.precision is not None:
        return entry
    return entry.model_copy(update={"full_dtype": protocol.full_dtype})
