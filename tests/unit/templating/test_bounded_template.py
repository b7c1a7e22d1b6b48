"""Templates of other people: whatever they ask for, they end soon, with their text or with one line that says why not."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DebugUndefined, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from quantbench.templating import BoundedEnvironment, BoundedTemplate, TemplateFault, like

TOLD = {
    "text": "Aspirin for the heart. " * 40,
    "labels": {"pain": "it hurts", "fall": "on the ground"},
    "examples": [{"text": "One.", "answer": "pain"}, {"text": "Two.", "answer": "fall"}],
}
STEPS, TEXT, CALLS = "takes more steps", "makes or reads more text", "calls inside each other"


def render(source: str) -> str:
    return BoundedTemplate(BoundedEnvironment(undefined=StrictUndefined, trim_blocks=True), source).render(TOLD)


def grown(step: str, start: str = "('a',)") -> str:
    """A namespace's ``s`` after sixty doublings, which no memory holds written out."""
    return f"{{% set n = namespace(s={start}) %}}{{% for i in range(60) %}}{{% set n.s = {step} %}}{{% endfor %}}"


PAIRS = grown("(n.s, n.s)")
ENDLESS = [
    (
        "{% for i in range(9999) %}{% for j in range(9999) %}{% for k in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
        STEPS,
    ),
    ("{% for i in range(9999) %}{% for j in range(99999) if false %}{% endfor %}{% endfor %}", TEXT),
    ("{% for i in range(9999) recursive %}{{ loop(range(9999)) }}{% endfor %}", CALLS),
    ("{{ range(99999) | map('string') | map('upper') | map('lower') | list }}", STEPS),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", CALLS),
    ("{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}", CALLS),
    ("{% block a %}{{ self.a() }}{% endblock %}", CALLS),
    ("{% for i in range(99999) %}{% if 'z' in text * 9999 %}{% endif %}{% endfor %}", TEXT),
    ("{% set t = text * 999 %}{% for i in range(99999) %}{{ t }}{% endfor %}", TEXT),
    ("{% macro m() %}{% for i in range(99999) %}{{ text }}{% endfor %}{% endmacro %}{{ m() | length }}", TEXT),
    ("{{ 'a' * 10 ** 11 }}", TEXT),
    ("{{ [1] * 10 ** 11 }}", TEXT),
    ("{{ 9 ** (9 ** 9) }}", TEXT),
    ("{{ 10 ** (10 ** 9) }}", TEXT),
    ("{{ '%99999999999d' % 1 }}", TEXT),
    ("{{ '%.99999999f' % 1.5 }}", TEXT),
    ("{{ '%*d' % (10 ** 10, 1) }}", TEXT),
    ("{{ '{:>99999999999}'.format(1) }}", TEXT),
    ("{{ '{:{}}'.format(1, 10 ** 10) }}", TEXT),
    ("{{ '{:{w}}'.format_map({'w': 10 ** 10}) }}", TEXT),
    ("{{ '%99999999999d' | format(1) }}", TEXT),
    *((f"{{{{ text.{name}(10 ** 10) }}}}", TEXT) for name in ("center", "ljust", "rjust", "zfill")),
    ("{{ text | center(10 ** 10) }}", TEXT),
    ("{% filter center(10 ** 10) %}a{% endfilter %}", TEXT),
    ("{{ (text | e).center(10 ** 10) }}", TEXT),
    ("{{ (1).to_bytes(10 ** 10) }}", TEXT),
    ("{{ '\t'.expandtabs(10 ** 10) }}", TEXT),
    ("{{ (text * 999).replace('a', text * 999) }}", TEXT),
    ("{{ (text * 999) | replace('', text * 999) }}", TEXT),
    ("{{ (text * 99).join(text * 99) }}", TEXT),
    ("{{ (text * 99).join(range(9999) | map('string')) }}", TEXT),
    ("{{ (text * 99) | join(text * 99) }}", TEXT),
    ("{{ (text * 99) | wordwrap(1, true, text * 99) }}", TEXT),
    ("{{ text | indent(10 ** 10) }}", TEXT),
    ("{{ text.translate({97: text * 99999}) }}", TEXT),
    ("{{ labels | tojson(indent=10 ** 10) }}", TEXT),
    ("{{ labels | batch(10 ** 10, 'x') | list }}", TEXT),
    ("{{ 1.5 | round(10 ** 9, 'ceil') }}", TEXT),
    ("{{ 1 | round(-(10 ** 7)) }}", TEXT),
    ("{{ ('a' * 900000) | wordwrap(1) }}", TEXT),
    ("{{ (7 ** 90000) ** 9 % (3 ** 90000) ** 9 }}", TEXT),
    (
        "{% set x = 7 ** 30000 %}{% for i in range(999) %}{% set y = x * x %}{% set y = x // 7 ** 15000 %}{% endfor %}",
        TEXT,
    ),
    ("{{ ([range(999) | list] * 99) | sum(start=[]) }}", TEXT),
    ("{{ (text * 99).encode('punycode') }}", TEXT),
    (grown("n.s ~ n.s", "'a'") + "{{ n.s }}", TEXT),
    (grown("n.s + n.s", "'a'") + "{{ n.s }}", TEXT),
    *(
        (PAIRS + use, TEXT)
        for use in (
            *(
                "{{ n.s }}",
                "{{ n }}",
                "{{ n.s | string }}",
                "{{ n.s | tojson }}",
                "{{ '%s' % n.s }}",
                "{{ '{}'.format(n.s) }}",
            ),
            *(
                "{{ n.s == [1] }}",
                "{{ {}[n.s] }}",
                "{{ {n.s: 1} }}",
                "{{ {}.get(n.s) }}",
                "{{ [n.s].index(1) }}",
                "{{ n.s ~ 1 }}",
            ),
        )
    ),
    (grown("{'a': n.s, 'b': n.s}") + "{{ n.s.items() }}", TEXT),
    ("{% set n = namespace() %}{% set n.s = n %}{{ n }}", TEXT),
]


@pytest.mark.parametrize(("source", "said"), ENDLESS)
def test_a_template_without_an_end_is_refused(source: str, said: str) -> None:
    with pytest.raises(TemplateFault, match=said) as refused:
        render(source)
    assert "\n" not in str(refused.value)


def test_it_is_refused_before_it_takes_memory() -> None:
    tracemalloc.start()
    try:
        for source, said in ENDLESS:
            if "*" in source and "range" not in source:
                with pytest.raises(TemplateFault, match=said):
                    render(source)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\n{{ txt }}", "^line 2: 'txt' is undefined$"),
        ("{{ text.foo }}", "^line 1: 'str object' has no attribute 'foo'$"),
        ("a\n\n{{ text", "^line 3: unexpected end of template"),
        ("{% macro m() %}\n{{ 1 / 0 }}\n{% endmacro %}\n\n{{ m() }}", "^line 2: division by zero$"),
        ("{% for x in 5 %}{% endfor %}", "not iterable"),
        ("{{ text + 1 }}", "can only concatenate"),
        ("{{ text() }}", "'str' object is not callable"),
        ("{{ [1, 'a'] | sort }}", "not supported between instances"),
        ("{{ text | foo }}", "No filter named 'foo'"),
        ("{{ 3 is divisibleby 0 }}", "modulo by zero"),
        ("{{ 10.0 ** 400 }}", "line 1: Numerical result out of range$"),
        ("{{ 10 ** 5000 }}", "4300 digits.*conversion$"),
        ("{{ 9" + "9" * 5000 + " }}", "4300 digits"),
        ("{{ range(10 ** 9) }}", "Range too big"),
        ("{{ {}.x.y }}", "no attribute 'x'"),
        ("{{ " + "not " * 5000 + "1 }}", "nested, without end"),
        ("{{ '\\ud83d' }}", "half of a character"),
        ("{% include '/etc/passwd' %}", "asks for another file, '/etc/passwd'; write its text here"),
        ("{% import 'os' as os %}", "asks for another file, 'os'"),
        ("{% from 'os' import path %}", "asks for another file"),
        ("{% extends 'base.html' %}", "asks for another file"),
        ("{{ ''.__class__ }}", "'__class__' of 'str' object is unsafe"),
        ("{{ cycler.__init__.__globals__ }}", "is unsafe"),
        ("{{ '{0.__class__}'.format(text) }}", "is unsafe"),
        ("{{ text | attr('__class__') }}", "is unsafe"),
        ("{{ labels.clear() }}", "'clear' of 'dict' object is unsafe"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("x" * 1_000_001, "has 1000001 characters"),
    ],
)
def test_a_fault_is_one_line_that_begins_with_the_line_of_the_template(source: str, said: str) -> None:
    with pytest.raises(TemplateFault, match=said) as refused:
        render(source)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


SOUND = [
    *(
        "{{ text }}",
        "{{ text | trim | upper | truncate(40) }}",
        "{{ text[:9] ~ text[9:20] }}",
        "{{ (text | e).join(['<', '>']) }}",
    ),
    "{% for name, meaning in labels.items() %}{{ loop.index }}. {{ name }}: {{ meaning }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for name in labels if name != 'pain' %}{{ loop.length }} {{ name }}{% else %}none{% endfor %}",
    "{% for one in examples %}{{ loop.previtem.text if not loop.first }}{{ loop.cycle('a', 'b') }}{{ one | dictsort }}{% endfor %}",
    "{% for i in [[1, [2]], 3] recursive %}{{ loop(i) if i is iterable else i }}{{ loop.depth }}{% endfor %}",
    "{{ labels | dictsort | map('first') | join('; ') }}{{ examples | map(attribute='answer') | list }}",
    "{{ examples | groupby('answer') }}{{ range(10) | batch(3, 0) | list }}{{ range(7) | slice(3) | list }}{{ [1, 2] | sum }}",
    "{% set n = namespace(t='') %}{% for i in range(3) %}{% set n.t = n.t + '%s-%02d' % ('x', i) %}{% endfor %}{{ n.t }}",
    "{% macro shown(one, last=false) %}{{ one.text }}{{ caller() }}{{ last }}{% endmacro %}{% macro plain(t) %}{{ t }}{% endmacro %}{{ plain(text) }}"
    "{% call shown(examples[1], last=true) %}!{% endcall %}",
    "{% set x %}a{{ text | length }}{% endset %}{{ x }}{% filter upper %}b{% endfilter %}{% with a = 1 %}{{ a + 7 // 2 % 3 }}{% endwith %}",
    "{{ '{:>5}|{a}'.format(1, a='b') }}{{ '%5.2f' % 1.5 }}{{ 'a' in text }}{{ 1 < 2 <= 3 }}{{ none }}{{ -1.5 | abs }}{{ labels }}",
    "{{ text.split('.')[0].replace('A', 'b').strip() }}{{ text is string }}{{ 4 is divisibleby 2 }}{{ labels | tojson(indent=2) }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{% set j = joiner(', ') %}{{ j() }}{{ j() }}{{ dict(a=1) }}",
    "{% autoescape true %}{{ '<' ~ 'b' }}{{ '<' | e }}{% endautoescape %}{% block b %}{{ self.c() }}{% endblock %}{% block c %}!{% endblock %}",
]


@pytest.mark.parametrize("source", SOUND)
def test_what_a_sound_template_writes_is_what_jinja_writes(source: str) -> None:
    plain = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True)
    assert render(source) == plain.from_string(source).render(TOLD)


def test_what_is_given_may_be_as_long_as_it_is() -> None:
    """A book in a prompt is no endless template."""
    environment = BoundedEnvironment(undefined=StrictUndefined)
    source = "{% for word in text.split() %}{{ word | upper }} {% endfor %}{{ text in text }}"
    book = "word " * 300_000
    assert len(BoundedTemplate(environment, source).render({"text": book})) == len(book) + len("True")
    with pytest.raises(TemplateFault, match=STEPS):
        BoundedTemplate(
            environment, source.replace("text.split()", "range(99999)").replace("{{ word", "{{ 1 + 1 }}{{ word")
        ).render({"text": "a"})


def test_a_bounded_environment_reads_what_the_other_one_does() -> None:
    other = ImmutableSandboxedEnvironment(
        lstrip_blocks=True, trim_blocks=True, undefined=DebugUndefined, extensions=["jinja2.ext.loopcontrols"]
    )
    other.globals["shout"] = str.upper
    other.filters["twice"] = lambda text: text * 2
    source = "  {% for i in range(9) %}\n{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{{ shout('a') | twice }}{{ b }}"
    assert BoundedTemplate(like(other), source).render({}) == other.from_string(source).render({}) == "01AA{{ b }}"
    with pytest.raises(TemplateFault, match=TEXT):
        BoundedTemplate(like(other), "{{ ('a' * 9999999) | twice }}").render({})


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "for i in ",
            "endfor",
            "if ",
            "endif",
            "macro m()",
            "endmacro",
            "m()",
            "set x = ",
            "text",
            "labels",
        ),
        *(
            "range(99999)",
            " | list",
            " | center(",
            " | join",
            "(",
            ")",
            "[",
            "]",
            "9",
            " ** ",
            " * ",
            " ~ ",
            "'%s'",
            " % ",
            ".format",
            " ",
        ),
        *(
            "recursive",
            "loop(",
            "{#",
            "#}",
            "\n",
            "\0",
            "\ud83d",
            "self",
            "namespace()",
            ".__class__",
            ":",
            ",",
            "-",
            "block a",
            "endblock",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_text_is_filled_or_refused(source: str) -> None:
    try:
        assert isinstance(render(source), str)
    except TemplateFault as fault:
        assert str(fault) and "\n" not in str(fault)
