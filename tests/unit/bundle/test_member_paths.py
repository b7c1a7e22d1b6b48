"""Names of a bundle's files: kinds that bundles have, of names that are one on no disk."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quantbench.bundle.member_paths import check_figures, check_paths
from quantbench.errors import DataError

CELL = "cells/phi-4/full/medqa/instruction-0shot"
TAKEN = [
    *(f"{CELL}/{name}" for name in ("manifest.json", "predictions.jsonl", "repeat_1.jsonl", "scored.jsonl")),
    *("datasets/medqa/samples.jsonl", "datasets/medqa/dataset.json", "datasets/medqa/shots.jsonl"),
    *("config/models/phi-4.yaml", "config/precisions/w4a16.yaml", "config/datasets/medqa/own_cot.txt"),
    *("config/studies.yaml", "packed/tables/likelihoods.csv", "resources/paper/table1.csv"),
]


def test_kinds_of_files_that_bundles_have_are_taken() -> None:
    check_paths(TAKEN, "x", "go on")


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "bundle.json", "run.yaml", "cells/a", "cells/a/b", f"{CELL}/more.json", f"{CELL}/a/manifest.json"),
        *(f"/{CELL}/manifest.json", f"./{CELL}/manifest.json", f"{CELL}//manifest.json", f"{CELL}/manifest.json\n"),
        *("cells/../../../../manifest.json", "cells/a/b/c/../manifest.json", "cells/a/b/c/.d/manifest.json"),
        *("datasets/medqa/test.jsonl", "config/datasets/medqa/.DS_Store", "config/datasets/medqa/raw/a.txt"),
        *("config/datasets/medqa/notes 2024.txt", "config/datasets/medqa/instruction.txt~", "config/config.yaml"),
        *("config/models/ä.yaml", "config/models/a\x00.yaml", "config/models/a\u202eb.yaml", "resources/models/x"),
        *("config/models/" + "a" * 300 + ".yaml", "cells" + "/a" * 3000, "Cells" + CELL[5:] + "/manifest.json"),
    ],
)  # fmt: skip
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(DataError, match=r"x: the archive names .*; go on"):
        check_paths([*TAKEN, path], "x", "go on")


@pytest.mark.parametrize(
    "path", [f"{CELL.replace('phi', 'PHI')}/scores.json", "config/models/Phi-4.yaml", "datasets/MedQA/shots.jsonl"]
)
def test_names_that_differ_by_case_alone_are_refused(path: str) -> None:
    with pytest.raises(DataError, match="which are one on many disks; go on"):
        check_paths([*TAKEN, path], "x", "go on")


def test_figures_are_names_of_figures() -> None:
    check_figures(["figure2.png", "figure2.pdf", "effects.svg"], "x", "go on")
    for name in (
        "/dev/zero",
        "../figure2.png",
        "figure2",
        "figure2.exe",
        ".png",
        "a/b.png",
        "a" * 300 + ".png",
        "a.png\n",
    ):
        with pytest.raises(DataError, match=r"x: the index names the figure .*, which no run draws; go on"):
            check_figures(["figure2.png", name], "x", "go on")


@given(st.text(max_size=40))
@example("cells/a/b/c/d/manifest.json")
def test_whatever_is_taken_stays_below_its_folder(path: str) -> None:
    try:
        check_paths([path], "x", "go on")
    except DataError as error:
        assert str(error).isprintable()
        return
    assert not {"", ".", ".."} & set(path.split("/")) and path.isascii()
