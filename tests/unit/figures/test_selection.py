"""Which figures a run gets: the studies' where these name its models, else whatever its own cells can fill, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.simulated_run import paper_catalogue

from quantbench import figures
from quantbench.errors import ConfigError
from quantbench.figures.selection import Selection, selection
from quantbench.study.grid import own_models

# No study of config/studies.yaml lists these: three sizes of a family, and a general model.
SIZES = ["tiny-xs", "tiny-s", "tiny-m"]
OWN = [*SIZES, "tiny-s-general"]


def selected(repository: Path, **changes: Any) -> Selection:
    return selection(paper_catalogue(repository, **changes))


def shown(chosen: Selection, name: str, kind: str) -> list[object]:
    return list(dict.fromkeys(getattr(cell, kind) for cell in chosen.drawn[name]))


def test_the_papers_run_has_the_figures_of_its_studies(repository: Path) -> None:
    chosen = selected(repository)
    assert list(chosen.drawn) == [*(f"figure{n}" for n in range(2, 8)), "flips", "labels", "effects", "reliability"]
    assert chosen.left_out == {}
    assert {
        name: len(cells) for name, cells in chosen.drawn.items() if name.startswith("figure") and name < "figure7"
    } == {
        **{"figure2": 96, "figure3": 48, "figure4": 60},
        **{"figure5": 60, "figure6": 18},
    }
    assert shown(chosen, "figure3", "model") == [
        "clinicalcamel-70b",
        "llama3-med42-70b",
        "huatuogpt-o1-70b",
        "meditron-70b",
    ]


def test_models_that_no_study_lists_are_the_runs_own(repository: Path) -> None:
    def own(**changes: Any) -> list[str]:
        return own_models(paper_catalogue(repository, **changes))

    assert own() == own(models="all") == own(models=["phi-4"]) == []
    assert own(models=["phi-4", "tiny-s"]) == ["tiny-s"]
    assert own(models=["tiny-s"], studies_file="config/demo_studies.yaml") == []


def test_own_models_get_each_figure_that_their_cells_fill(repository: Path) -> None:
    chosen = selected(
        repository, models=OWN, datasets=["hoc", "medqa"], shots=[0, 1, 3], promptings=["instruction", "cot"]
    )
    assert set(chosen.drawn) == set(figures.names())
    assert chosen.left_out == {}
    for name in ("figure2", "figure3", "figure4"):
        assert shown(chosen, name, "model") == OWN
        assert shown(chosen, name, "dataset") == ["hoc", "medqa"]
        assert {(cell.prompting, cell.shots) for cell in chosen.drawn[name]} == {("instruction", 0)}
    assert shown(chosen, "figure5", "shots") == [0, 1, 3]
    assert shown(chosen, "figure5", "prompting") == ["instruction"]
    assert shown(chosen, "figure6", "prompting") == ["instruction", "cot"]
    assert shown(chosen, "figure6", "shots") == [0]
    assert "full" not in shown(chosen, "effects", "precision")
    assert "full" not in shown(chosen, "labels", "precision")
    assert shown(chosen, "labels", "dataset") == ["hoc"]  # letters of options mean nothing


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        (
            {"models": ["tiny-s"], "precisions": ["w4a16"]},
            {
                "figure3": "one domain (biomedical)",
                "figure4": "one size of models (1.114 million weights)",
                "figure5": "one number of worked examples (0)",
                "figure6": "one way of prompting (instruction)",
                **dict.fromkeys(["effects", "flips"], "no precision to compare with full precision"),
                "labels": "no dataset with labels to compare with full precision",
            },
        ),
        (
            {"models": ["tiny-s", "tiny-s-general"], "precisions": ["full", "w4a16"]},
            {
                "figure4": "one size of models (1.114 million weights)",
                "figure5": "one number of worked examples (0)",
                "figure6": "one way of prompting (instruction)",
            },
        ),
        (
            {"models": ["tiny-s"], "precisions": ["full"], "shots": [3], "studies": ["grid"]},
            {
                **dict.fromkeys(["figure2", "figure7"], "no zero-shot cell"),
                **{"figure3": "no domain", "figure4": "no size of models", "figure6": "no way of prompting"},
                **{"figure5": "one number of worked examples (3)", "effects": "no precision to compare"},
                "labels": "no dataset with labels to compare",
                **{"flips": "no precision to compare", "reliability": "no dataset to be answered by an option"},
            },
        ),
    ],
)
def test_a_figure_with_one_value_on_its_axis_is_left_out_and_says_so(
    repository: Path, changes: dict[str, Any], left_out: dict[str, str]
) -> None:
    chosen = selected(repository, **changes)
    assert set(chosen.left_out) == set(left_out)
    for name, reason in left_out.items():
        assert chosen.left_out[name].startswith(f"the run has {reason}")
        with pytest.raises(ConfigError, match=f"{name} is not drawn: the run has"):
            chosen.cells(name)


def test_studies_that_a_run_narrows_say_so_too(repository: Path) -> None:
    chosen = selected(repository, models=["qwen2.5-7b", "llama3-med42-70b"], studies=["grid", "fewshot"])
    assert chosen.left_out == {
        "figure2": "the run has no cell of its study (Four general models on all datasets (Table 1))",
        "figure3": "the run has one model (llama3-med42-70b); it compares several",
        "figure4": "the run has one size of models (7.615 billion weights); it compares several",
        "figure5": "the run has no cell of its study (Worked examples in the prompt)",
    }
    assert "figure6" not in {*chosen.drawn, *chosen.left_out}, "no study of the run names it"


def test_models_of_the_study_and_own_ones_are_shown_together(repository: Path) -> None:
    chosen = selected(repository, models=["phi-4", "qwen2.5-72b", "tiny-s"])
    assert shown(chosen, "figure2", "model") == shown(chosen, "figure4", "model") == ["phi-4", "qwen2.5-72b", "tiny-s"]
    assert shown(chosen, "figure5", "model") == ["qwen2.5-72b"], "the study runs worked examples for this one alone"


def test_a_study_of_all_models_keeps_its_figure(repository: Path) -> None:
    catalogue = paper_catalogue(repository, models=["tiny-s", "tiny-m"], datasets=["hoc"], studies=["grid"])
    grid = catalogue.studies["grid"].model_copy(update={"figure": "figure2", "precisions": ["full"]})
    chosen = selection(replace(catalogue, studies={"grid": grid}))
    assert shown(chosen, "figure2", "precision") == ["full"]
    assert shown(chosen, "figure2", "model") == ["tiny-s", "tiny-m"]
