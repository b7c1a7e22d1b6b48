"""The configuration is refused, by file, key, value and nearest known name, before anything runs."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantbench.config import DatasetEntry, ModelEntry, PrecisionEntry, RunConfig, load, recorded_settings
from quantbench.config.reference import SCHEMAS, schema_texts
from quantbench.config.settings import parse, read_yaml
from quantbench.errors import ConfigError


@pytest.fixture
def settings(repository: Path) -> dict[str, Any]:
    return yaml.safe_load((repository / "config/config.yaml").read_text())


def refusal(repository: Path, settings: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        load(repository, settings, "config/config.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"limitt": 3}, ["config/config.yaml", "'limitt'", "3", "'limit'"]),
        ({"inference": {"engin": "static"}}, ["'inference.engin'", "'static'", "'engine'"]),
        ({"inference": {"engine": "vllm"}}, ["inference.engine", "'vllm'", "single"]),
        ({"models": ["qwen-2.5-72b"]}, ["'models'", "'qwen-2.5-72b'", "'qwen2.5-72b'"]),
        ({"datasets": ["pubmed-qa"]}, ["'datasets'", "'pubmed-qa'", "'pubmedqa'"]),
        ({"precisions": ["w4a8"]}, ["'precisions'", "'w4a8'", "'w4a16'"]),
        ({"precisions": ["full", "full-replanned"]}, ["'precisions'", "'full-replanned'", "noise floor of 'full'"]),
        ({"studies": ["few-shot"]}, ["'studies'", "'few-shot'", "'fewshot'"]),
        ({"studies": []}, ["'studies'", "[]"]),
        ({"run": "../elsewhere"}, ["'run'", "'../elsewhere'"]),
        ({"limit": 0}, ["'limit'", "0"]),
        ({"random_weights": {"models": ["phi4"]}}, ["'random_weights.models'", "'phi4'", "'phi-4'"]),
        ({"random_weights": {"prompt_tokens": 0}}, ["random_weights.prompt_tokens", "0"]),
        ({"studies_file": "config/nowhere.yaml"}, ["config/nowhere.yaml", "no such file"]),
        ({"models": "phi-4"}, ["key 'models' has the value 'phi-4': expected a list, as in [phi-4], or all"]),
        ({"models": [4]}, ["key 'models.0' has the value 4: expected a text"]),
        ({"promptings": ["cto"]}, ["key 'promptings.0' has the value 'cto'; did you mean 'cot'?"]),
        ({"inference": 5}, ["key 'inference' has the value 5: expected a section, as in {key: value}"]),
        ({"inference": {"stop_early": "perhaps"}}, ["'inference.stop_early'", "'perhaps': expected true or false"]),
        ({"limit": "twenty"}, ["key 'limit' has the value 'twenty': expected a whole number"]),
        ({"hardware.device": "cpu"}, ["unknown key 'hardware.device'", "write hardware={device: cpu}"]),
    ],
)
def test_refusals(repository: Path, settings: dict[str, Any], change: dict[str, Any], parts: list[str]) -> None:
    message = refusal(repository, settings | change)
    assert all(part in message for part in parts), message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"load_in_4bits": True}, "settings: unknown key 'load_in_4bits' (value True); did you mean 'load_in_4bit'?"),
        ({"load_in_4bit": True, "bnb_4bit_quanttype": "nf4"}, "did you mean 'bnb_4bit_quant_type'?"),
        ({"bnb_4bit_quant_type": "nf4"}, "needs one of settings.load_in_8bit and settings.load_in_4bit"),
        ({"load_in_4bit": True, "load_in_8bit": True}, "needs one of settings.load_in_8bit and settings.load_in_4bit"),
        ({"load_in_4bit": 1}, "key 'load_in_4bit' has the value 1"),
        ({"load_in_4bit": "yes"}, "key 'load_in_4bit' has the value 'yes'"),
        ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf5"}, "has the value 'nf5'; did you mean 'nf4'?"),
        (
            {"load_in_4bit": True, "bnb_4bit_compute_dtype": "float17"},
            "has the value 'float17'; did you mean 'float16'?",
        ),
        ({"load_in_4bit": True, "bnb_4bit_quant_storage": "nn"}, "key 'bnb_4bit_quant_storage' has the value 'nn'"),
        ({"load_in_4bit": True, "llm_int8_threshold": 6.0}, "llm_int8_threshold has no effect under load_in_4bit"),
        ({"load_in_8bit": True, "bnb_4bit_quant_type": "nf4"}, "bnb_4bit_quant_type has no effect under load_in_8bit"),
        ({"load_in_8bit": True, "llm_int8_threshold": float("nan")}, "llm_int8_threshold is nan; a finite number"),
        ({"load_in_8bit": True, "llm_int8_threshold": -1}, "key 'llm_int8_threshold' has the value -1"),
        ({"load_in_8bit": True, "llm_int8_threshold": True}, "key 'llm_int8_threshold' has the value True"),
        (
            {"load_in_8bit": True, "llm_int8_skip_modules": "lm_head"},
            "which layers are quantized is transformers' choice",
        ),
        (
            {"load_in_8bit": True, "llm_int8_skip_modules": ["lm_head"]},
            "llm_int8_skip_modules is ['lm_head']; true, false",
        ),
        ({"load_in_8bit": True, "llm_int8_has_fp16_weight": True}, "it keeps the weights in 16 bits"),
    ],
)
def test_settings_that_bitsandbytes_would_ignore_or_refuse_later_are_refused(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as error:
        parse(PrecisionEntry, {"title": "odd", "method": "bitsandbytes", "settings": settings}, "odd.yaml")
    assert str(error.value).startswith("odd.yaml: ") and "key ''" not in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize("name", [None, "__import__", "quantize_", 8])
def test_torchao_needs_the_name_of_a_configuration(name: object) -> None:
    settings = {"group_size": 32} if name is None else {"config": name}
    with pytest.raises(ConfigError, match=r"odd\.yaml: method torchao needs settings\.config"):
        parse(PrecisionEntry, {"title": "odd", "method": "torchao", "settings": settings}, "odd.yaml")


def test_settings_without_a_method_are_refused() -> None:
    with pytest.raises(ConfigError, match="method none takes no settings, and settings names load_in_4bit"):
        parse(PrecisionEntry, {"title": "odd", "method": "none", "settings": {"load_in_4bit": True}}, "odd.yaml")


def test_unknown_name_in_a_study_names_the_studies_file(
    tmp_path: Path, repository: Path, settings: dict[str, Any]
) -> None:
    studies = tmp_path / "studies.yaml"
    studies.write_text("grid:\n  title: all\n  models: [phi4]\n")
    message = refusal(repository, settings | {"studies": ["grid"], "studies_file": str(studies)})
    assert str(studies) in message
    assert "'grid.models'" in message
    assert "'phi-4'" in message


def test_a_figure_shows_no_noise_floor(tmp_path: Path, repository: Path, settings: dict[str, Any]) -> None:
    studies = tmp_path / "studies.yaml"
    studies.write_text("grid:\n  title: all\n  figure: figure2\n  precisions: [full, full-replanned]\n")
    message = refusal(repository, settings | {"studies": ["grid"], "studies_file": str(studies)})
    assert str(studies) in message
    assert "study 'grid' has a figure and names full-replanned" in message


@pytest.mark.parametrize(
    ("text", "part"),
    [("noise_floor_of: ful", "did you mean 'full'"), ("noise_floor_of: w8a16", "repeats the very same loading")],
)
def test_a_noise_floor_repeats_a_known_precision(
    tmp_path: Path, repository: Path, settings: dict[str, Any], text: str, part: str
) -> None:
    shutil.copytree(repository / "config", tmp_path / "config")
    entry = tmp_path / "config/precisions/odd.yaml"
    entry.write_text(f"title: odd\nmethod: none\n{text}\n")
    message = refusal(tmp_path, settings)
    assert str(entry) in message
    assert part in message


@pytest.mark.parametrize("text", ["grid: [", "- grid\n", "grid: everything\n"])
def test_malformed_studies_file(tmp_path: Path, repository: Path, settings: dict[str, Any], text: str) -> None:
    studies = tmp_path / "studies.yaml"
    studies.write_text(text)
    assert str(studies) in refusal(repository, settings | {"studies": ["grid"], "studies_file": str(studies)})


def test_all_twelve_models_match_the_published_facts(repository: Path, settings: dict[str, Any]) -> None:
    models = load(repository, settings, "config/config.yaml").models
    assert [name for name in settings["models"] if models[name].demonstration] == []
    assert len(settings["models"]) == 12
    assert sum(models[name].domain == "biomedical" for name in settings["models"]) == 4


@pytest.mark.parametrize(("wanted", "random"), [([], 0), (["phi-4"], 1), ("all", 18)])
def test_a_run_chooses_its_stand_ins(
    repository: Path, settings: dict[str, Any], wanted: list[str] | str, random: int
) -> None:
    models = load(repository, settings | {"random_weights": {"models": wanted}}, "x").models
    assert len(models) == 18
    assert [entry.has_random_weights for entry in models.values()].count(True) == random
    assert models["phi-4"].has_random_weights == bool(random)


def test_only_a_stand_in_needs_no_source(repository: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(repository / "config", tmp_path / "config")
    entry = tmp_path / "config/models/phi-4.yaml"
    lines = [line for line in entry.read_text().splitlines() if not line.startswith(("hub_id", "revision"))]
    entry.write_text("\n".join(lines))
    assert "give exactly one of hub_id and folder (none is needed with 'weights: random')" in refusal(
        tmp_path, settings
    )
    entry.write_text("\n".join([*lines, "weights: random"]))
    assert load(tmp_path, settings, "x").models["phi-4"].has_random_weights


def test_a_local_folder_states_its_own_files(tmp_path: Path, repository: Path, settings: dict[str, Any]) -> None:
    own = tmp_path / "hoc/files.yaml"
    own.parent.mkdir()
    own.write_text("test:\n  - {name: mine.tsv, rows: 7}\n")
    entry = load(repository, settings | {"data": {"folder": str(tmp_path)}}, "x").datasets["hoc"]
    assert [(file.name, file.rows) for file in entry.files["test"]] == [("mine.tsv", 7)]
    own.write_text("test:\n  - {name: mine.tsv, row: 7}\n")
    message = refusal(repository, settings | {"data": {"folder": str(tmp_path)}})
    assert str(own) in message
    assert "row" in message


def test_schemas_are_in_step() -> None:
    shipped = {path.name: path.read_text() for path in SCHEMAS.glob("*.json")}
    assert shipped == schema_texts(), "run: make schemas"


def test_a_retired_key_says_what_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunConfig, "retired", {"threads_of_old": "set hardware.threads"})
    settings = {"run": "r", "studies": ["main"], "threads_of_old": 3}
    with pytest.raises(ConfigError, match=r"mine\.yaml: key 'threads_of_old' is retired: set hardware\.threads"):
        parse(RunConfig, settings, "mine.yaml")
    assert parse(RunConfig, recorded_settings(settings), "manifest.json").run == "r"


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("# geprüft\nrun: mine\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"mine\.yaml, line 1: not UTF-8"):
        read_yaml(path)


WRONG = "title: half an entry\n"


@pytest.fixture
def half_written(repository: Path, tmp_path: Path) -> Path:
    """A catalogue in which somebody has begun one entry of each kind, and another that is no YAML at all."""
    for name in ("models/half.yaml", "precisions/half.yaml", "datasets/half/dataset.yaml"):
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True)
        path.write_text(WRONG)
    (tmp_path / "config/models/other.yaml").write_text("title: [unclosed")
    return tmp_path


def test_entries_that_a_run_does_not_name_may_be_wrong(half_written: Path, settings: dict[str, Any]) -> None:
    catalogue = load(half_written, settings, "config/config.yaml")
    assert not {"half", "other"} & {*catalogue.models, *catalogue.precisions, *catalogue.datasets}
    assert "phi-4" in catalogue.models


@pytest.mark.parametrize("key", ["models", "precisions", "datasets"])
@pytest.mark.parametrize("place", ["run", "all", "study", "asked"])
def test_entries_that_are_named_may_not(half_written: Path, settings: dict[str, Any], key: str, place: str) -> None:
    asked = []
    if place == "run":
        settings[key] = [*settings[key], "half"]
    elif place == "all":
        settings[key] = "all"
    elif place == "study":
        (half_written / "config/studies.yaml").write_text(yaml.dump({"grid": {"title": "All", key: ["half"]}}))
        settings["studies"] = ["grid"]
    else:
        asked = ["half"]
        for other in {"models", "precisions", "datasets"} - {key}:
            shutil.rmtree(half_written / "config" / other)  # a name is asked for of every kind
    with pytest.raises(ConfigError, match=rf"config/{key}/half\S*yaml: "):
        load(half_written, settings, "config/config.yaml", asked)


def test_stand_ins_that_are_named_may_not_be_wrong(half_written: Path, settings: dict[str, Any]) -> None:
    settings["random_weights"] = {"models": ["half"]}
    with pytest.raises(ConfigError, match=r"config/models/half\.yaml: "):
        load(half_written, settings, "config/config.yaml")


@pytest.mark.parametrize(
    ("section", "text", "value"),
    [
        ("comparison.resamples", "200", 200),
        ("hardware.gpu_memory_gib", "24.5", 24.5),
        ("hardware.gpu_memory_gib", "auto", "auto"),
        ("hardware.warm_start", "false", False),
        ("hardware.gpus", "null", None),
    ],
)
def test_texts_as_snakemake_hands_them_over_are_what_they_say(section: str, text: str, value: object) -> None:
    name, key = section.split(".")
    run = parse(RunConfig, {"run": "r", "studies": ["grid"], name: {key: text}}, "x")
    assert getattr(getattr(run, name), key) == value


@pytest.mark.parametrize("text", ["many", "200.5", "[200]", "{a: 1}", "'", "true", ".nan", "1e3"])
def test_a_text_that_says_no_count_is_shown_as_it_was_written(text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape("comparison.resamples")):
        parse(RunConfig, {"run": "r", "studies": ["grid"], "comparison": {"resamples": text}}, "x")


@pytest.mark.parametrize("name", ["../../other/test.tsv", "/etc/passwd", "a/../../b", ""])
def test_a_dataset_has_no_file_outside_its_folder(repository: Path, name: str) -> None:
    entry = read_yaml(repository / "config/datasets/hoc/dataset.yaml")
    with pytest.raises(ConfigError, match=re.escape("dataset.yaml: key 'files.test.0.name' has the value ")):
        parse(DatasetEntry, {**entry, "files": {"test": [{"name": name}]}}, "dataset.yaml")


def test_a_file_in_place_of_the_folder_of_results_is_named(
    repository: Path, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("results").touch()
    message = refusal(repository, settings)
    assert "key 'results_folder' has the value 'results': results is a file; move it away, or name a folder" in message


def test_a_makers_configuration_may_hold_infinities(repository: Path) -> None:
    entry = read_yaml(repository / "config/models/tiny-xs.yaml")
    stated = {**entry.get("config_json", {}), "time_step_limit": [0.0, float("inf")]}
    kept = parse(ModelEntry, {**entry, "config_json": stated}, "tiny-xs.yaml")
    assert kept.config_json["time_step_limit"] == [0.0, float("inf")]
