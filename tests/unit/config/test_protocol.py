"""The switches between the sound protocol and the paper's own: which go together, and that the default leaves none."""

from pathlib import Path

import pytest

from quantbench.config import load
from quantbench.config.settings import merged, read_yaml
from quantbench.errors import ConfigError


@pytest.fixture
def usual(repository: Path) -> dict[str, object]:
    return read_yaml(repository / "config/config.yaml")


SINGLE = {"engine": "single", "stop_early": False}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protocol": {"repeats": 3}}, "repeats is 3 and decoding is greedy"),
        ({"protocol": {"temperature": 0.5}}, "temperature is 0.5 and decoding is greedy, which has none; set decoding"),
        ({"protocol": {"temperature": float("inf"), "decoding": "sampled"}}, "protocol.temperature.*finite"),
        ({"protocol": {"repeats": 101, "decoding": "sampled"}}, "protocol.repeats.*100"),
        ({"protocol": {"decoding": "of_model"}}, r"protocol.decoding: of_model needs inference.engine: single.*\(it is static\)"),
        ({"protocol": {"decoding": "sampled"}}, r"protocol.decoding: sampled needs inference.engine: single"),
        ({"protocol": {"timing": "whole_pass"}}, r"protocol.timing: whole_pass needs inference.engine: single"),
        (
            {"protocol": {"timing": "whole_pass"}, "inference": {"engine": "single"}},
            "inference.stop_early ends them where they are read; set stop_early: false",
        ),
        ({"protocol": {"decodings": "greedy"}}, "unknown key 'protocol.decodings'.*'decoding'"),
    ],
)  # fmt: skip
def test_switches_that_do_not_go_together_are_named(
    repository: Path, usual: dict[str, object], changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load(repository, merged(usual, changes), "mine.yaml")


@pytest.mark.parametrize(
    "protocol",
    [{"decoding": "of_model", "repeats": 3}, {"timing": "whole_pass"}, {"decoding": "sampled", "timing": "apart"}],
)
def test_each_switch_stands_alone(repository: Path, usual: dict[str, object], protocol: dict[str, object]) -> None:
    run = load(repository, merged(usual, {"protocol": protocol, "inference": SINGLE}), "mine.yaml").run
    assert not run.protocol.is_sound


def test_the_default_is_sound_and_the_published_one_switches_everything(
    repository: Path, usual: dict[str, object]
) -> None:
    sound = load(repository, usual, "config.yaml").run.protocol
    assert sound.is_sound
    published = load(repository, merged(usual, read_yaml(repository / "config/published.yaml")), "published.yaml").run
    kept = {name for name, value in published.protocol if getattr(sound, name) == value}
    assert kept == {"temperature"}  # which greedy answers do not depend on
    assert all(on for _, on in published.protocol.slips)


def test_no_run_takes_the_folder_of_published_values(repository: Path, usual: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="'run' has the value 'published': this folder is for figures"):
        load(repository, usual | {"run": "published"}, "mine.yaml")
