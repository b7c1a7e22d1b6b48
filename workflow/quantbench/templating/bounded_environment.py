"""A sandboxed Jinja2 environment in which every loop, call, filter and operator counts towards a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import Any, cast

from jinja2 import BaseLoader, Environment, TemplateRuntimeError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .bounded_code import BoundedCode
from .costs import FILTERS, METHODS, Cost, of_operator
from .work import current, measure

# Their methods go over all of them; those of dictionaries do not.
_GONE_OVER = (str, bytes, int, float, list, tuple)


class _StandsAlone(BaseLoader):
    """What include, import and extends ask."""

    def get_source(self, environment: Environment, template: str) -> Any:
        """Refuse every name."""
        raise TemplateRuntimeError(f"asks for another file, {template!r}; write its text here, a template stands alone")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Refuses templates that reach out of the sandbox, and those that do not come to an end.

    Every error of a template is an :class:`Exception` of its own kind: :class:`.BoundedTemplate` makes one line of it.
    """

    code_generator_class = BoundedCode
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self, **options: Any) -> None:
        # Without folding of constants nothing is worked out before the counting starts.
        super().__init__(**options, loader=_StandsAlone(), optimized=False, finalize=self.measured)
        # A prompt is the same each time it is made, or no two cells could be compared.
        del self.globals["lipsum"]
        self.bound_filters()

    def bound_filters(self) -> None:
        """Count the work of every filter and test, also of those that were added later."""
        filters = cast("dict[str, Callable[..., Any]]", self.filters)
        tests = cast("dict[str, Callable[..., Any]]", self.tests)
        self.filters.update({name: _bounded(use, FILTERS.get(name)) for name, use in filters.items()})
        self.tests.update({name: _bounded(use, None) for name, use in tests.items()})

    def concat(self, parts: Iterable[str]) -> str:
        """Put together what a template or a macro writes."""
        kept = []
        work = current()
        for part in parts:
            work.handle(len(part))
            kept.append(part)
        return "".join(kept)

    def step(self) -> None:
        """Count one step."""
        current().step()

    def measured(self, value: object) -> object:
        """The value itself, once its size is counted."""
        measure(value, current())
        return value

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An entry, whose key is gone over as a whole."""
        if isinstance(argument, tuple):
            self.measured(argument)
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> Any:
        """An operator between two values, if its result is not too large."""
        work = current()
        work.step()
        work.handle(of_operator(operator, left, right))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A call, if its result is not too large."""
        if getattr(__obj, "__func__", None) is BoundedEnvironment.measured:
            return __self.measured(args[0])
        work = current()
        with work.call():
            # Names with an underscore are the loop's own, which Jinja2 hands on.
            given = [*args, *(value for name, value in kwargs.items() if not name.startswith("_"))]
            measure(given, work)
            subject = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)
            if isinstance(subject, _GONE_OVER) and not isinstance(__obj, Macro):
                name = __obj.__name__
                if name == "join":
                    args = tuple(_listed(value) for value in args)
                if name in METHODS:
                    work.handle(METHODS[name]([subject, *args, *kwargs.values()]))
                measure(subject, work)
            return _checked(super().call(__context, __obj, *args, **kwargs))


def like(environment: Environment) -> BoundedEnvironment:
    """A bounded environment that reads what another one does, with its extensions, filters, tests and globals."""
    bounded = BoundedEnvironment(
        trim_blocks=environment.trim_blocks,
        lstrip_blocks=environment.lstrip_blocks,
        keep_trailing_newline=environment.keep_trailing_newline,
        undefined=environment.undefined,
        extensions=[type(extension) for extension in environment.extensions.values()],
    )
    bounded.filters = dict(environment.filters)
    bounded.tests = dict(environment.tests)
    known = {name: value for name, value in environment.globals.items() if name != "lipsum"}
    bounded.globals.update(known)
    bounded.bound_filters()
    return bounded


def _bounded(function: Callable[..., Any], cost: Cost | None) -> Callable[..., Any]:
    # wraps keeps the marks by which Jinja2 knows that a filter takes the environment or the context first.
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        work = current()
        with work.call():
            args = tuple(_listed(value) for value in args)
            given: Sequence[object] = [*args, *kwargs.values()]
            given = [value for value in given if not isinstance(value, Environment | Context | EvalContext)]
            measure(given, work)
            if cost is not None:
                work.handle(cost(given))
            return _checked(function(*args, **kwargs))

    return run


def _listed(value: object) -> object:
    """Entries that are made one by one, all of them, since how much text they make shows only then."""
    return list(value) if isinstance(value, Iterator) else value


def _checked(result: Any) -> Any:
    """A result once it is measured; one whose entries are made one by one counts as they are."""
    if isinstance(result, Iterator):
        return _stepwise(result)
    measure(result, current())
    return result


def _stepwise(entries: Iterator[Any]) -> Iterator[Any]:
    for entry in entries:
        current().step()
        yield entry
