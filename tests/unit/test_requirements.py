"""What is installed how: the package's dependencies and extras, the pinned lists and the conda environments agree."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, list[Requirement]]:
    """The package's dependencies as ``base``, and its extras."""
    stated = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lists = {"base": stated["dependencies"], **stated["optional-dependencies"]}
    return {name: [Requirement(line) for line in lines] for name, lines in lists.items()}


def pins(repository: Path, name: str) -> dict[str, str]:
    """Name -> version of one requirements file, without those it includes."""
    lines = (repository / f"requirements/{name}.txt").read_text().splitlines()
    return {
        canonicalize_name(pin): version for pin, equals, version in (line.partition("==") for line in lines) if equals
    }


def named(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(one.name) for one in requirements}


def test_each_list_names_the_same_packages(repository: Path, project: dict[str, list[Requirement]]) -> None:
    assert named(project["base"]) | named(project["analysis"]) == pins(repository, "analysis").keys()
    assert named(project["inference"]) - {"quantbench"} == pins(repository, "inference").keys()
    assert [one.extras for one in project["inference"] if one.name == "quantbench"] == [{"analysis"}]


def test_the_pinned_versions_are_ones_the_package_takes(
    repository: Path, project: dict[str, list[Requirement]]
) -> None:
    pinned = pins(repository, "analysis") | pins(repository, "inference")
    wrong = [
        str(one)
        for requirements in project.values()
        for one in requirements
        if one.name != "quantbench" and pinned[canonicalize_name(one.name)] not in one.specifier
    ]
    assert wrong == []


def test_conda_environments_pin_the_same(repository: Path) -> None:
    for name, lists in (("analysis", ["analysis"]), ("inference", ["analysis", "inference"])):
        environment = (repository / f"envs/{name}.yaml").read_text()
        found = {canonicalize_name(pin): version for pin, version in re.findall(r"- (\S+)==(\S+)", environment)}
        assert found == {pin: version for one in lists for pin, version in pins(repository, one).items()}


# Each of the hashed lists that installs something for itself, with the readable list that it is made from.
HASHED = ["analysis", "inference", "torchao", "dev", "build", "supply", "real-model"]
ENTRY = re.compile(r"^([\w.-]+)==([^\s;]+)(?: ;[^\\\n]*)?((?: \\\n {4}--hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE)


def hashed(repository: Path, name: str) -> dict[str, str]:
    """Name -> version of one hashed list, with those that it includes."""
    text = (repository / f"requirements/hashed/{name}.txt").read_text()
    included = re.findall(r"^-r (\S+)\.txt$", text, re.MULTILINE)
    found = {canonicalize_name(pin): version for pin, version, _ in ENTRY.findall(text)}
    rest = re.sub(r"^(#|-r ).*\n", "", ENTRY.sub("", text), flags=re.MULTILINE)
    assert rest == "", "a line without hashes"
    for other in included:
        found |= hashed(repository, other)
    return found


@pytest.mark.parametrize("name", HASHED)
def test_every_hashed_package_is_the_pinned_one(repository: Path, name: str) -> None:
    constraints = pins(repository, "constraints")
    found = hashed(repository, name)
    assert {pin: constraints.get(pin) for pin in found} == found
    assert pins(repository, name).items() <= found.items()


def test_what_is_installed_besides_is_the_same_release(repository: Path) -> None:
    assert hashed(repository, "torch-cpu") == {"torch": hashed(repository, "inference")["torch"]}
    assert not hashed(repository, "cuda").keys() & hashed(repository, "dev").keys()


@pytest.mark.parametrize("name", ["analysis", "inference", "dev"])
def test_a_hashed_list_holds_all_that_its_packages_ask_for(repository: Path, name: str) -> None:
    """It is installed without looking anything up."""
    listed = hashed(repository, name).keys() | hashed(repository, "build").keys() | hashed(repository, "cuda").keys()
    missing = {}
    for package in listed - hashed(repository, "cuda").keys():
        try:
            asked = [Requirement(line) for line in requires(package) or []]
        except PackageNotFoundError:  # of another system or Python
            continue
        wanted = {
            canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})
        }
        if wanted - listed:
            missing[package] = wanted - listed
    assert missing == {}


def test_make_installs_nothing_unproved(repository: Path) -> None:
    text = re.sub(r"^#.*\n", "", (repository / "Makefile").read_text(), flags=re.MULTILINE)
    install = re.search(r"^INSTALL := (.*)$", text, re.MULTILINE)
    assert install and "--require-hashes --no-deps" in install[1]
    others = [
        line.strip() for line in text.splitlines() if "pip install" in line and not line.startswith("INSTALL := ")
    ]
    assert len(others) == 1
    assert "--no-deps --no-build-isolation --editable ." in others[0]
