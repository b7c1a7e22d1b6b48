"""The results tree as its contracts describe it: the generated sections of ``results/README.md``.

Every class of this folder that states the ``path`` of its file is found and described by its docstring and fields, so that
no list of files is kept anywhere.
"""

from __future__ import annotations

import importlib
import pkgutil

from ..config.reference import REPOSITORY, field_rows, plain, table, with_sections

README = REPOSITORY / "results/README.md"


def described() -> dict[str, type]:
    """Path pattern -> the class of the file's content, or of each of its lines, in order of the paths."""
    package = importlib.import_module(__package__ or "")
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
    found = {}
    for module in modules:
        for kind in vars(module).values():
            path = vars(kind).get("path") if isinstance(kind, type) else None
            if isinstance(path, str) and path:
                found[path] = kind
    return dict(sorted(found.items()))


def readme_text() -> str:
    """``results/README.md`` with one section a file, made from the contracts."""
    sections = []
    for path, kind in described().items():
        rows = field_rows(kind)
        fields = f"\n\n{table(rows, README)}" if any(row.meaning for row in rows) else ""
        sections.append(f"### `{path}`\n\n{plain(kind)}{fields}")
    return with_sections(README, {"files": "\n\n".join(sections)})


if __name__ == "__main__":
    README.write_text(readme_text(), encoding="utf-8")
