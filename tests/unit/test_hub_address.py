"""Who is told what: the hub's own host a token, over https, and nobody anything else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from quantbench.errors import ConfigError
from quantbench.hub_address import PUBLIC_HUB, access_token, endpoint


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_ENDPOINT", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_it_is_the_public_hub_and_no_token() -> None:
    assert (endpoint(), access_token()) == (PUBLIC_HUB, False)


@pytest.mark.parametrize(
    "stated",
    [
        "hub.local",
        "ftp://hub.local",
        "https://",
        "https://[::1",
        "https://hub:port",
        "/srv/hub",
        "nul\0",
        " http://hub.local",
        "ht\ntp://hub.local",
        "https://hub.local\n",
        "https://hub.local?a=1",
    ],
)
def test_what_is_no_address_of_a_hub_is_refused(stated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"HF_ENDPOINT": stated})
    with pytest.raises(
        ConfigError, match=r"HF_ENDPOINT in the environment: .* is no address of a hub; give one such as https"
    ):
        endpoint()


def test_a_password_in_the_hubs_address_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://me:secret@hub.local")
    with pytest.raises(ConfigError, match="HF_ENDPOINT in the environment: holds a name or password") as refused:
        endpoint()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "hub", ["https://hub.local/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", PUBLIC_HUB]
)
def test_a_token_goes_over_https_or_stays_on_the_machine(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub)
    monkeypatch.setenv("HF_TOKEN", " hf_secret\n")
    assert (endpoint(), access_token()) == (hub.rstrip("/"), "hf_secret")


@pytest.mark.parametrize(
    "hub",
    [
        "http://hub.local",
        "HTTP://hub.local",
        "hTTp://hub.local",
        "http://127.0.0.1.hub.local",
        "http://10.0.0.1",
        "http://localhost.local",
    ],
)
def test_a_token_is_never_sent_unencrypted(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub)
    assert access_token() is False, "without a token a mirror may do without encryption"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(ConfigError, match=r"sent unencrypted; give the hub's https address") as refused:
        access_token()
    assert "hf_secret" not in str(refused.value)


@pytest.mark.parametrize("token", ["hf_a b", "hf_a\nb", "hf_ä", "hf_\x7f"])
def test_what_cannot_be_a_token_is_refused_and_not_repeated(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ConfigError, match="HF_TOKEN in the environment: holds blanks") as refused:
        access_token()
    assert "hf_" not in str(refused.value)


def test_no_library_reports_its_use() -> None:
    code = (
        "import quantbench, huggingface_hub.constants as hub, datasets.config as data\n"
        "from huggingface_hub.utils import build_hf_headers\n"
        "print(hub.HF_HUB_DISABLE_TELEMETRY, data.HF_UPDATE_DOWNLOAD_COUNTS, 'torch' in build_hf_headers()['user-agent'])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_HUB_DISABLE_TELEMETRY": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False", "False"], done.stderr
