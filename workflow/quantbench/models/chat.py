"""A prompt as one user turn, behind a system prompt where there is one, by the chat template that comes with a tokenizer: the same
text on every day.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cache, cached_property
from typing import TYPE_CHECKING

from ..errors import ModelError, shorten
from ..templating import BoundedEnvironment, BoundedTemplate, TemplateFault, like

if TYPE_CHECKING:
    from ..config import ModelEntry
    from .interfaces import Tokenizer

# As Llama 3 writes a date; a template that asks for today writes it as it likes.
_DATE_STRING = "%d %b %Y"
# Renders of one prompt that must come out alike: a coin that a template throws shows in all but one of 128 runs.
_TRIES = 8
_WITHOUT_SYSTEM_PROMPT = "take system_prompt out of its entry (with protocol.chat: as_published, of as_published there), or mend the template in its folder"
# Any other day than the one that is told shows whether a prompt holds it.
_OTHER_DAYS = (date(1999, 12, 31), date(2001, 2, 3))


@dataclass(frozen=True)
class Chat:
    """A chat template with everything it is told beside the prompt.

    Attributes:
        model: the model's name, for errors.
        source: the template, in Jinja2.
        special_tokens: what templates call special tokens, ``bos_token``, and how these are written.
        day: what the template takes for today. Templates that ask for the day would otherwise make other prompts tomorrow,
            for one precision of a comparison or for the second half of a cell.
        enable_thinking: what it is told so; None: nothing.
        system_prompt: what a system turn before the user's says; None: there is none, and the template's own default holds.
    """

    model: str
    source: str
    special_tokens: dict[str, str]
    day: date
    enable_thinking: bool | None = None
    system_prompt: str | None = None

    def render(self, prompt: str) -> str:
        """The prompt as one user turn, behind the system prompt, ready for the model's answer.

        Raises:
            ModelError: the template is malformed or refuses the prompt or the system prompt, with what it says.
        """
        try:
            return self._filled(prompt, self.system_prompt)
        except TemplateFault as fault:
            raise self._refused_system_prompt(prompt, fault) or self._refused(fault) from fault

    def _filled(self, prompt: str, system_prompt: str | None) -> str:
        today = datetime.combine(self.day, time())
        told: dict[str, object] = {} if self.enable_thinking is None else {"enable_thinking": self.enable_thinking}
        if "strftime_now" not in self._names:
            told["date_string"] = today.strftime(_DATE_STRING)
        system = [] if system_prompt is None else [{"role": "system", "content": system_prompt}]
        # transformers' own call replaces every function that it is handed, and so the clock, by a placeholder.
        return self._template.render(
            {
                "messages": [*system, {"role": "user", "content": prompt}],
                "tools": None,
                "documents": None,
                "add_generation_prompt": True,
                "strftime_now": today.strftime,
                **self.special_tokens,
                **told,
            }
        )

    def check(self, prompt: str) -> None:
        """Refuse a template that does not know a switch of the entry, leaves the system prompt out, or writes another text each time.

        Raises:
            ModelError: names the model and what to change.
        """
        if self.enable_thinking is not None and "enable_thinking" not in self._names:
            raise ModelError(
                f"model {self.model!r}: enable_thinking is {str(self.enable_thinking).lower()} in its entry, and its chat "
                "template knows no such switch; leave it out"
            )
        if self.system_prompt is not None and self.system_prompt.strip() not in self.render(prompt):
            raise ModelError(
                f"model {self.model!r}: its chat template leaves the system prompt out; {_WITHOUT_SYSTEM_PROMPT}"
            )
        if len({self.render(prompt) for _ in range(_TRIES)}) > 1:
            raise ModelError(
                f"model {self.model!r}: its chat template makes another prompt of the same text each time, so no two cells "
                "would see the same; mend the template in its folder"
            )

    def shows_day(self, prompt: str) -> bool:
        """Whether another day would make another prompt of this text."""
        text = self.render(prompt)
        return any(replace(self, day=day).render(prompt) != text for day in _OTHER_DAYS)

    @cached_property
    def _template(self) -> BoundedTemplate:
        return BoundedTemplate(_environment(), self.source)

    @cached_property
    def _names(self) -> set[str]:
        """Every name that occurs in the template."""
        try:
            return self._template.names()
        except TemplateFault as fault:
            raise self._refused(fault) from fault

    def _refused(self, fault: TemplateFault) -> ModelError:
        return ModelError(
            f"model {self.model!r}: its chat template refuses a prompt of one user turn: {fault}; mend the template in its "
            "folder, or set chat_template: none in its entry"
        )

    def _refused_system_prompt(self, prompt: str, fault: TemplateFault) -> ModelError | None:
        """What to say where only the system prompt is refused; None: the template takes no user turn either."""
        if self.system_prompt is None:
            return None
        try:
            self._filled(prompt, None)
        except TemplateFault:
            return None
        return ModelError(
            f"model {self.model!r}: its chat template refuses a system prompt: {fault}; {_WITHOUT_SYSTEM_PROMPT}"
        )


@cache
def _environment() -> BoundedEnvironment:
    """As transformers has it for chat templates, bounded."""
    # It is transformers' own affair; nothing public makes one. An empty template, since reading another may not come to an end there.
    from transformers.utils.chat_template_utils import _compile_jinja_template

    return like(_compile_jinja_template("").environment)


def find_chat(tokenizer: Tokenizer, model: str, entry: ModelEntry, day: date) -> Chat:
    """The chat template of a model that is configured to have one, ready to render.

    Args:
        tokenizer: has one template, several by name, or none.
        model: the model's name.
        entry: which template is meant, and what it is told.
        day: what it takes for today.

    Raises:
        ModelError: no template, or none of the name that is asked for.
    """
    templates = tokenizer.chat_template
    if not templates:
        raise ModelError(f"model {model!r}: its tokenizer has no chat template; set chat_template: none in its entry")
    named: object = {"default": templates} if isinstance(templates, str) else templates
    if not isinstance(named, dict) or not all(isinstance(source, str) for source in named.values()):
        raise ModelError(
            f"model {model!r}: chat_template in its tokenizer_config.json has the value {shorten(templates)}; a template, or a list of "
            "several with their names, is expected: mend the file, or set chat_template: none in its entry"
        )
    name = entry.chat_template_name or "default"
    if name not in named:
        wanted = f"named {name!r}" if entry.chat_template_name else "by default"
        raise ModelError(
            f"model {model!r}: its tokenizer has no chat template {wanted}; set chat_template_name in its entry to one of "
            f"{', '.join(sorted(named))}"
        )
    others = ", ".join(sorted(named.keys() - {name}))
    if others:
        print(
            f"model {model!r}: chat template {name!r} is used; its tokenizer also has {others} (chat_template_name)",
            file=sys.stderr,
        )
    special_tokens = dict(tokenizer.special_tokens_map)
    return Chat(model, named[name], special_tokens, day, entry.enable_thinking, entry.system_prompt)
