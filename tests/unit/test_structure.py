"""The package's rooms: who may import whom, and that every module has a name of its own."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

# A room knows only those before it. Single modules at the top of the package are rooms of their own.
ROOMS = (
    *(
        "errors",
        "reading",
        "recovery",
        "defects",
        "joblog",
        "provenance",
        "config",
        "hub_address",
        "contracts",
        "measure",
        "devices",
        "templating",
        "prompts",
        "study",
        "tasks",
    ),
    *(
        "datasets",
        "privacy",
        "store",
        "planner",
        "models",
        "engine",
        "tracing",
        "cell",
        "statistics",
        "scoring",
        "tables",
        "recommend",
        "reproduce",
        "figures",
    ),
    *("report", "judge", "bundle", "verify", "jobs", "cli", "__main__"),
)


class Package:
    """Modules of a package by dotted name below it, and what each imports of the package."""

    def __init__(self, folder: Path) -> None:
        self.files = {self._name(path, folder): path for path in sorted(folder.rglob("*.py"))}

    def imports(self, module: str) -> Iterator[str]:
        """The modules that one imports, wherever in it; imported names count for the module that holds them."""
        path = self.files[module]
        here = module.split(".") if module else []
        base = here if path.name == "__init__.py" else here[:-1]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                parts = [*base[: len(base) - node.level + 1], *(node.module or "").split(".")]
                target = ".".join(part for part in parts if part)
                for alias in node.names:
                    inner = f"{target}.{alias.name}".strip(".")
                    yield inner if inner in self.files else target

    @staticmethod
    def _name(path: Path, folder: Path) -> str:
        parts = path.relative_to(folder).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module")
def package(repository: Path) -> Package:
    return Package(repository / "workflow/quantbench")


def upward(package: Package) -> list[str]:
    """Each import of a room that stands below the importing one."""
    found = []
    for module in package.files:
        for target in set(package.imports(module)) - {""}:
            here, there = module.split(".")[0], target.split(".")[0]
            if module and here != there and ROOMS.index(there) > ROOMS.index(here):
                found.append(f"{module} imports {target}")
    return found


def test_every_room_has_its_place(package: Package) -> None:
    assert {module.split(".")[0] for module in package.files if module} <= set(ROOMS)


def test_no_room_imports_one_below_it(package: Package) -> None:
    assert upward(package) == []


def test_no_circle_of_modules(package: Package) -> None:
    # A package and its own modules import each other by design: the package is what it exports.
    graph = {
        module: {target for target in package.imports(module) if target and not module.startswith(target)}
        for module in package.files
        if module and package.files[module].name != "__init__.py"
    }
    list(TopologicalSorter(graph).static_order())


def test_every_module_has_a_name_of_its_own(package: Package) -> None:
    modules = defaultdict(list)
    for module, path in package.files.items():
        if path.name != "__init__.py":
            modules[path.stem].append(module)
    assert [shared for shared in modules.values() if len(shared) > 1] == []


def test_the_package_never_imports_snakemake(package: Package) -> None:
    for path in package.files.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "snakemake" for name in names), path


def test_an_import_upwards_is_found(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "cli").mkdir()
    (tmp_path / "config/run.py").write_text("def f():\n    from ..cli import plan\n")
    (tmp_path / "cli/plan.py").write_text("from ..config import run\n")
    assert upward(Package(tmp_path)) == ["config.run imports cli.plan"]


# Who reads without the room that does: module -> why.
READ_ALONE = {
    "store.smoke_test": "goes with an exported checkpoint and stands alone",
    "measure.energy": "counters of the kernel",
    "measure.memory": "the kernel's words on this process",
    "recovery.kernel": "the kernel's words on processes",
    "devices.processor": "the kernel's words on processors",
    "config.reference": "pages of the repository, by those who develop it",
    "contracts.layout": "pages of the repository, by those who develop it",
    "figures": "source files of the package",
    "tracing.bitsandbytes_kernels": "source files of a library",
    "report.assembly": "files of the package, and figures that the run drew",
    "judge.judged_page": "files of the package",
    "engine.decoding_settings": "what a library says of itself, in memory",
    "models.prompt_tokens": "what a library says of itself, in memory",
    "cell.warm": "requests of this very program, in a pipe of its own",
    "provenance": "source files of the package",
}
READING_CALLS = {
    *("json.load", "json.loads", "json.JSONDecoder", "yaml.load", "yaml.safe_load", "yaml.full_load", "yaml.load_all"),
    *("csv.reader", "csv.DictReader", "pd.read_csv", "pandas.read_csv", "tomllib.load", "tomllib.loads"),
}


def readings(path: Path) -> set[str]:
    """The calls in a module by which text, JSON, YAML or tables are read."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            if name in READING_CALLS or (node.func.attr == "read_text" and not name.startswith("text_files.")):
                found.add(name)
    return found


def test_files_are_read_in_one_room(package: Package) -> None:
    alone = {
        module: readings(path)
        for module, path in package.files.items()
        if not module.startswith("reading") and readings(path)
    }
    assert {module: calls for module, calls in alone.items() if module not in READ_ALONE} == {}


def test_reading_elsewhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("import json\ndef f(path):\n    return json.loads(path.read_text())\n")
    assert readings(path) == {"json.loads", "path.read_text"}
