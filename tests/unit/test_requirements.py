"""What is installed how: the package's dependencies and extras, the pinned lists and the conda environments agree."""

from __future__ import annotations

import re
import tomllib
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
