"""Logs of inspect_ai: grades, epochs, archives, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.outside_runs import RECORDED

from quantbench.errors import QuantbenchError
from quantbench.judge import OutsideTask, Wanted, pair_runs, read_run

LOG, ARCHIVE = RECORDED / "inspect/float32.json", RECORDED / "inspect/bfloat16.eval"


def log(**changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(LOG.read_text())
    return {**read, **changes}


def with_sample(**changes: Any) -> dict[str, Any]:
    """The log, its third sample changed; a value None leaves the field out."""
    read = log()
    read["samples"][2] = {name: value for name, value in {**read["samples"][2], **changes}.items() if value is not None}
    return read


def written(folder: Path, content: dict[str, Any]) -> Path:
    (folder / "log.json").write_text(json.dumps(content))
    return folder / "log.json"


def read(path: Path, **wanted: str) -> OutsideTask:
    [task] = read_run(path, Wanted(**wanted))
    return task


def test_grades_count_as_inspect_counts_them(tmp_path: Path) -> None:
    content = log()
    for sample, grade in zip(content["samples"], ["C", "P", "I", "N", 0.75, True] * 4, strict=True):
        sample["scores"]["match"]["value"] = grade
    found = [sample.score for sample in read(written(tmp_path, content)).samples]
    assert found == [1, 0.5, 0, 0, 0.75, 1] * 4


def test_epochs_of_a_sample_are_taken_together(tmp_path: Path) -> None:
    content = log()
    content["samples"] += [{**sample, "epoch": 2} for sample in content["samples"]]
    task = read(written(tmp_path, content))
    assert len(task.samples) == 48 and len({sample.group for sample in task.samples}) == 24
    assert task.samples[24].key == "sum-0, epoch 2"


def test_a_target_of_one_is_that_one(tmp_path: Path) -> None:
    """A list of targets is what inspect_ai writes where the dataset states lists."""
    content = log()
    content["samples"][0]["target"] = ["15"]
    content["samples"][1]["target"] = ["15", "fifteen"]
    assert [sample.gold for sample in read(written(tmp_path, content)).samples[:2]] == ["15", '["15", "fifteen"]']


def test_a_document_of_the_metadata_groups() -> None:
    assert len({sample.group for sample in read(LOG, group="document").samples}) == 12


def test_an_archive_holds_the_same_samples() -> None:
    one, two = read(LOG), read(ARCHIVE)
    assert {sample.key: sample.prints for sample in one.samples} == {
        sample.key: sample.prints for sample in two.samples
    }


def test_an_archive_packed_otherwise_is_read(tmp_path: Path) -> None:
    read_log = log()
    with zipfile.ZipFile(tmp_path / "deflated.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({name: read_log[name] for name in read_log if name != "samples"}))
        for sample in read_log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
    found = read(tmp_path / "deflated.eval").samples
    assert sorted(sample.key for sample in found) == sorted(sample.key for sample in read(LOG).samples)


def test_messages_pair_whatever_their_ids_are(tmp_path: Path) -> None:
    logs = []
    for name in ("one", "two"):
        content = log()
        content["samples"][0]["input"] = [{"id": name, "role": "user", "content": "14 + 1 ="}]
        (tmp_path / name).mkdir()
        logs.append(written(tmp_path / name, content))
    assert pair_runs(read_run(logs[0], Wanted()), read_run(logs[1], Wanted()), (logs[0], logs[1]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (log(status="started"), "status is 'started'; judge takes a run that ended"),
        (log(samples=None), "no samples in it; run inspect_ai with log_samples"),
        (log(samples=[]), "no samples in it"),
        (log(samples=[1]), "sample 1: expected a JSON object, found int"),
        (log(eval=[]), "line 1: none of the usual fields for --gold-field"),
        (with_sample(scores={}), "sample 3: no scores"),
        (
            with_sample(scores=None, error={"message": "timed out"}),
            "sample 3: no scores (its error: {'message': 'timed out'})",
        ),
        (with_sample(scores={"other": {"value": 1}}), "sample 3: the score 'match' is missing"),
        (with_sample(scores={"match": {"value": "G"}}), "sample 3: 'match' has the value 'G', which is no score"),
        (with_sample(scores={"match": {"value": -1}}), "sample 3: 'match' has the value -1, outside 0 to 1"),
        (with_sample(target=None), "sample 3: the field 'target' is missing"),
        (with_sample(id="sum-0"), "sample 3: the id 'sum-0' was there before"),
    ],
)
def test_what_cannot_be_judged_is_named(content: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(QuantbenchError) as error:
        read(path)
    assert said in str(error.value) and str(path) in str(error.value)


def test_options_of_other_programs_are_refused() -> None:
    with pytest.raises(
        QuantbenchError, match="--filter is for samples of lm-evaluation-harness, and this was written by inspect_ai"
    ):
        read(LOG, filter="strict")
    with pytest.raises(QuantbenchError, match="--id-field, --gold-field name fields of plain JSON lines"):
        read(LOG, identity="id", gold="target")


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    content = bytearray(ARCHIVE.read_bytes())
    content[200:4000] = bytes(3800)
    (tmp_path / "a.eval").write_bytes(content)
    with pytest.raises(QuantbenchError, match=r"a\.eval: damaged \(.*\); copy it again"):
        read(tmp_path / "a.eval")
    with zipfile.ZipFile(tmp_path / "b.eval", "w") as archive:
        archive.writestr("notes.txt", "nothing")
    with pytest.raises(QuantbenchError, match=r"b\.eval: no header\.json in it"):
        read(tmp_path / "b.eval")
    (tmp_path / "c.eval").write_bytes(ARCHIVE.read_bytes()[:9000])
    with pytest.raises(QuantbenchError, match=r"c\.eval: no archive of inspect_ai, or a part of one; copy it again"):
        read(tmp_path / "c.eval")
