"""Names that rule files define twice: Snakemake includes them into one namespace, where the later one wins unseen.

``python tests/lint/smk_names.py [workflow]`` prints each with its places and ends with 1 where there is one.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

# At the left margin: a function or class, a variable, a rule, what is imported. Names below it belong to somebody.
_FUNCTION = re.compile(r"(?:async )?(?:def|class) (\w+)")
_VARIABLE = re.compile(r"(\w+(?: *, *\w+)*)(?: *: *[^=]+)? *=(?!=)")
_RULE = re.compile(r"(?:rule|checkpoint) +(\w+) *:|use rule \w+ as (\w+)")
_IMPORT = re.compile(r"(?:from (\S+) )?import (.+)")


def repeated(workflow: Path) -> dict[str, list[str]]:
    """Each name that ``Snakefile`` and ``rules/*.smk`` of a workflow define more than once -> ``file:line`` of each place.

    Rules have a namespace of their own; the same thing imported twice is one definition.
    """
    places: dict[str, dict[str, str]] = defaultdict(dict)
    for path in [workflow / "Snakefile", *sorted(workflow.glob("rules/**/*.smk"))]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            place = f"{path.relative_to(workflow)}:{number}"
            for name, thing in _defined(line):
                places[name].setdefault(thing or place, place)
    return {name: list(found.values()) for name, found in places.items() if len(found) > 1}


def _defined(line: str) -> list[tuple[str, str]]:
    """Names that a line defines, each with what it stands for where that is something imported."""
    if found := _RULE.match(line):
        return [(f"rule {found[1] or found[2]}", "")]
    if found := _IMPORT.match(line):
        parts = [part.split() for part in found[2].split("#")[0].strip("()").split(",")]
        return [(words[-1], f"{found[1] or ''}.{words[0]}") for words in parts if words]
    if found := _FUNCTION.match(line) or _VARIABLE.match(line):
        return [(name.strip(), "") for name in found[1].split(",")]
    return []


def main() -> int:
    """Run as a command."""
    found = repeated(Path(sys.argv[1] if len(sys.argv) > 1 else "workflow"))
    for name, places in found.items():
        print(f"{places[-1]}: {name} is defined at {', '.join(places[:-1])} already; keep one")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
