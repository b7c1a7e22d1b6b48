"""Where the hub is, how a model on it is named, and what it is told of us: a token, if any, and nothing else. Touches no network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from .config import ModelEntry
from .errors import ConfigError

PUBLIC_HUB = "https://huggingface.co"
_FROM_ENVIRONMENT = "HF_ENDPOINT in the environment"


@dataclass(frozen=True)
class Repository:
    """A model on the hub that no entry names yet: its id, and a branch, tag or commit there."""

    hub_id: str
    revision: str


def endpoint() -> str:
    """The hub's address: what ``HF_ENDPOINT`` names, such as a mirror inside a hospital, else the public one.

    Raises:
        ConfigError: what ``HF_ENDPOINT`` names is no address of a hub.
    """
    stated = os.environ.get("HF_ENDPOINT") or PUBLIC_HUB
    address = _split(stated)
    if (
        address is None
        or address.scheme not in ("https", "http")
        or not address.hostname
        or address.query
        or address.fragment
    ):
        raise ConfigError(f"{_FROM_ENVIRONMENT}: {stated!r} is no address of a hub; give one such as {PUBLIC_HUB}")
    if "@" in address.netloc:
        # Not repeated: messages and logs name the hub.
        raise ConfigError(
            f"{_FROM_ENVIRONMENT}: holds a name or password; give the address alone, and a token in HF_TOKEN"
        )
    return stated.rstrip("/")


def page(entry: ModelEntry | Repository) -> str:
    """Where people read and accept a model's licence."""
    return f"{endpoint()}/{entry.hub_id}"


def access_token() -> str | Literal[False]:
    """The token in ``HF_TOKEN``, for the hub at :func:`endpoint` alone; False, not None, where there is none.

    None would make the hub's client look for one that another tool wrote to disk. The client takes the token off a request that is
    redirected to another host.

    Raises:
        ConfigError: the hub's address would have it sent in the clear, or it holds characters that no token has.
    """
    token = os.environ.get("HF_TOKEN", "").strip()
    if not token:
        return False
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ConfigError(
            "HF_TOKEN in the environment: holds blanks, line breaks or characters that no token has; copy it from the hub's page of tokens "
            "again"
        )
    hub = endpoint()
    # The scheme as the client reads it: HTTP:// is http, too.
    address = urlsplit(hub)
    if address.scheme != "https" and not _is_this_machine(str(address.hostname)):
        raise ConfigError(
            f"{_FROM_ENVIRONMENT}: {hub!r} would have the token in HF_TOKEN sent unencrypted; give the hub's https address, or take the "
            "token out of the environment"
        )
    return token


def _split(address: str) -> SplitResult | None:
    if not address.isprintable() or " " in address:  # urlsplit passes over some of these
        return None
    try:
        found = urlsplit(address)
        _ = found.port
    except ValueError:
        return None
    return found


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
