"""``quantbench verify`` names exactly the cells that no longer match, and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.small_run import Project, make_project

from quantbench.cli.main import main
from quantbench.config import CATALOGUE_VARIABLE, layered
from quantbench.verify.run_cells import Verifier
from quantbench.verify.run_files import Check

HOC, DDI = "hoc/instruction-0shot", "ddi2013/instruction-0shot"
ALL = {f"random/{precision}/{dataset}" for precision in ("full", "full-replanned", "w4a16") for dataset in (HOC, DDI)}


@pytest.fixture(scope="module")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(repository, tmp_path_factory.mktemp("finished"))


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy, free to change."""
    shutil.copytree(finished.root, tmp_path / "p")
    return Project(tmp_path / "p")


def changed(project: Project, **options: object) -> dict[str, list[str]]:
    """Cell -> why it no longer matches."""
    checks = list(Verifier(project.root, **options).run(project.results))  # type: ignore[arg-type]
    assert {check.subject for check in checks} == ALL
    return {check.subject: check.problems for check in checks if check.problems}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_an_untouched_run_matches(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(project.results), "--root", str(project.root)]) == 0
    assert "all 6 cells match" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["predictions.jsonl", "measurements.json", "likelihoods.npz"])
def test_one_byte_of_a_cells_file_names_that_cell(
    project: Project, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.results / "cells/random/w4a16" / HOC / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = changed(project)
    assert set(found) == {f"random/w4a16/{HOC}"}
    assert len(found[f"random/w4a16/{HOC}"]) == 1
    assert main(["verify", str(project.results), "--root", str(project.root)]) == 1
    shown = capsys.readouterr()
    assert f"{name}: not the file the cell wrote" in shown.out
    assert "1 of 6 cells no longer match" in shown.err


def test_likelihoods_may_be_left_out_and_are_of_the_answers_that_stand_there(project: Project) -> None:
    cells = project.results / "cells/random"
    (cells / "w4a16" / HOC / "likelihoods.npz").unlink()
    (check,) = (one for one in Verifier(project.root).run(project.results) if one.subject == f"random/w4a16/{HOC}")
    assert not check.problems
    assert [note for note in check.notes if "likelihoods are not checked" in note]
    full = cells / "full" / DDI / "predictions.jsonl"
    full.write_bytes(full.read_bytes() + b"\n")
    found = changed(project)
    assert set(found) == {f"random/{precision}/{DDI}" for precision in ("full", "full-replanned", "w4a16")}
    assert "not the answers that its model read for likelihoods.npz" in found[f"random/w4a16/{DDI}"][0]


def test_answers_that_the_cell_did_not_write_are_named(project: Project) -> None:
    folder = project.results / "cells/random/w4a16" / HOC
    (folder / "repeat_2.jsonl").write_bytes((folder / "predictions.jsonl").read_bytes())
    assert changed(project) == {
        f"random/w4a16/{HOC}": [
            f"{folder / 'repeat_2.jsonl'}: not written by the cell, and read with it; delete it and run again"
        ]
    }


def test_a_prompt_template_names_its_datasets_cells(project: Project) -> None:
    template = project.root / "config/datasets/hoc/instruction.txt"
    template.write_text(template.read_text() + "\n")
    found = changed(project)
    assert set(found) == {cell for cell in ALL if cell.endswith(HOC)}
    assert {reason for reasons in found.values() for reason in reasons} == {
        f"{template}: the prompt template has changed"
    }


def test_another_promptings_template_concerns_nobody(project: Project) -> None:
    template = project.root / "config/datasets/hoc/cot.txt"
    template.write_text(template.read_text() + "\n")
    assert changed(project) == {}


def test_a_precision_setting_names_its_cells(project: Project) -> None:
    edit(project.root / "config/precisions/w4a16.yaml", "quant_type: nf4", "quant_type: fp4")
    found = changed(project)
    assert set(found) == {f"random/w4a16/{HOC}", f"random/w4a16/{DDI}"}
    reason = "precision.settings.bnb_4bit_quant_type was 'nf4', is 'fp4' (config/precisions/w4a16.yaml)"
    assert list(found.values()) == [[reason]] * 2


def test_a_label_definition_names_its_datasets_cells(project: Project) -> None:
    edit(
        project.root / "config/datasets/ddi2013/dataset.yaml",
        "an interaction is stated without",
        "an interaction is stated with no",
    )
    assert set(changed(project)) == {cell for cell in ALL if cell.endswith(DDI)}


def test_samples_sources_and_model_files_are_inputs(project: Project) -> None:
    samples = project.results / "datasets/hoc/samples.jsonl"
    samples.write_text(samples.read_text() + "\n")
    assert set(changed(project)) == {cell for cell in ALL if cell.endswith(HOC)}
    source = project.root / "data/ddi2013/test.tsv"
    source.write_text(source.read_text() + "\n")
    found = changed(project)
    assert set(found) == ALL
    assert "not the file its samples were read from" in found[f"random/full/{DDI}"][0]
    (project.root / "model/added.json").write_text("{}")
    config = project.root / "model/config.json"
    config.write_text(config.read_text() + "\n")
    reasons = changed(project)[f"random/full/{DDI}"]
    assert [reason.split(": ")[1] for reason in reasons[1:]] == [
        "was added since the cell ran",
        "has changed since the cell ran",
    ]


def test_thought_markers_of_a_model_name_its_cells(project: Project) -> None:
    entry = project.root / "config/models/random.yaml"
    edit(entry, "reasoning: null", "reasoning: {open: <note>, close: </note>}")
    found = changed(project)
    assert set(found) == ALL
    said = "model.reasoning was None, is {'open': '<note>', 'close': '</note>'} (config/models/random.yaml)"
    assert all(reasons == [said] for reasons in found.values())


def test_the_engines_version_names_every_cell(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantbench.study.spec.ENGINE_VERSION", 99)
    found = changed(project)
    assert set(found) == ALL
    assert all(reasons[0].endswith("is 99") and "engine_version" in reasons[0] for reasons in found.values())


def test_a_run_setting_counts_only_where_a_configuration_is_given(project: Project) -> None:
    """The settings a cell ran with are its own; another file's are held against it only when asked."""
    configfile = project.root / "mine.yaml"
    recorded = json.loads((project.results / "cells/random/full" / HOC / "manifest.json").read_text())["configuration"]
    configfile.write_text(json.dumps(recorded))
    assert changed(project, settings=layered(project.root, [configfile])) == {}
    configfile.write_text(json.dumps(recorded | {"limit": 7}))
    found = changed(project, settings=layered(project.root, [configfile]))
    assert found == {cell: ["samples.limit was 6, is 7"] for cell in ALL}
    assert main(["verify", str(project.results), "--root", str(project.root), "--configfile", str(configfile)]) == 1


def test_a_missing_file_is_a_mismatch_and_a_missing_model_a_note(project: Project) -> None:
    shutil.rmtree(project.root / "model")
    checks = list(Verifier(project.root).run(project.results))
    assert all(not check.problems and "files of random are not checked" in check.notes[0] for check in checks)
    folder = project.results / "cells/random/full" / HOC
    (folder / "predictions.jsonl").unlink()
    (project.results / "cells/random/full" / DDI / "manifest.json").unlink()
    found = changed(project)
    assert set(found) == {f"random/full/{HOC}", f"random/full/{DDI}"}
    assert all("no such file" in reasons[0] for reasons in found.values())


def test_a_precision_no_longer_configured_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CATALOGUE_VARIABLE, str(project.root))  # not the shipped entries beneath
    (project.root / "config/precisions/full-replanned.yaml").unlink()
    edit(project.root / "config/studies.yaml", "precisions: [full-replanned]", "precisions: all")
    found = changed(project)
    assert set(found) == {f"random/full-replanned/{HOC}", f"random/full-replanned/{DDI}"}
    assert all(reasons == ["config/precisions no longer has 'full-replanned'"] for reasons in found.values())


def test_a_folder_without_cells_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert f"{tmp_path}: no cell" in capsys.readouterr().err


def test_each_file_is_hashed_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []

    def counting(path: Path) -> str:
        hashed.append(path)
        return "0" * 64

    monkeypatch.setattr("quantbench.verify.run_cells.sha256_of", counting)
    checks: list[Check] = list(Verifier(project.root).run(project.results))
    assert len(checks) == 6
    assert len(hashed) == len(set(hashed))
    assert sum(path.name == "model.safetensors" for path in hashed) == 1


def test_the_noise_floor_differs_from_full_in_its_plan_alone(finished: Project) -> None:
    manifests = [
        json.loads((finished.results / "cells/random" / precision / HOC / "manifest.json").read_text())
        for precision in ("full", "full-replanned", "w4a16")
    ]
    full, again, quantized = manifests
    assert full["plan_sha256"] == quantized["plan_sha256"] != again["plan_sha256"]
    assert len({manifest["identity"]["prompts"] for manifest in manifests}) == 1
    assert full["precision_applied"] == again["precision_applied"] != quantized["precision_applied"]
    # In 32 bits the answers do not depend on the batch at all (docs/protocol.md#engines).
    files = [
        (finished.results / "cells/random" / name / HOC / "predictions.jsonl").read_bytes()
        for name in ("full", "full-replanned")
    ]
    assert files[0] == files[1]


def test_manifests_say_who_else_used_the_device(finished: Project) -> None:
    manifest = json.loads((finished.results / "cells/random/full" / HOC / "manifest.json").read_text())
    assert manifest["foreign_processes"] == {"found": [], "reason": ""}
    assert set(manifest["energy"]) == {
        *("energy_j", "reason", "source", "window_s", "idle_power_w"),
        *("samples", "new_tokens", "contended_by"),
    }
    measured = json.loads((finished.results / "cells/random/full" / HOC / "measurements.json").read_text())
    assert measured["latency"]["contended_by"] == []
    assert all(len(item["token_times_s"]) == item["new_tokens"] for item in measured["latency"]["samples"])


def test_prompts_other_than_those_of_full_precision_name_the_cell(project: Project) -> None:
    path = project.results / "cells/random/w4a16" / HOC / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"prompts_sha256": "0" * 64}))
    found = changed(project)
    assert set(found) == {f"random/w4a16/{HOC}"}
    (reason,) = found[f"random/w4a16/{HOC}"]
    assert reason.startswith("random w4a16 on hoc (instruction, 0 shots): not the prompts of random full on hoc")
    assert "(texts or token ids differ)" in reason
    # A manifest of before that hash was kept, of the same texts, is held against what both say.
    del manifest["prompts_sha256"]
    path.write_text(json.dumps(manifest))
    assert changed(project) == {}
    path.write_text(json.dumps(manifest | {"identity": manifest["identity"] | {"prompts": "0" * 64}}))
    assert "(texts differ)" in changed(project)[f"random/w4a16/{HOC}"][0]


@pytest.mark.parametrize("odd", [None, [], {}, -1, True, "x", [["a"]], {"a": {"b": [1]}}, 10**30, ""])
def test_a_manifest_with_anything_in_a_field_is_a_problem_and_no_traceback(project: Project, odd: object) -> None:
    folder = project.results / "cells/random/w4a16" / HOC
    path, verifier = folder / "manifest.json", Verifier(project.root)
    manifest = json.loads(path.read_text())
    for field in manifest:
        path.write_text(json.dumps({**manifest, field: odd}))
        verifier.cell(project.results, folder)
    path.write_text(json.dumps({**manifest, "model": odd}))
    assert verifier.cell(project.results, folder).problems
