"""Where a deployed stack is looked for: in the region, and with the profile, that it was deployed with."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from local import ROOT

SAM_CONFIG = ROOT / "samconfig.toml"


def session_of(config: Path = SAM_CONFIG) -> boto3.Session:
    """As SAM takes them: what a guided run saved in its configuration file goes before the environment.

    Raises BotoCoreError for a profile that is not there.
    """
    commands: dict[str, Any] = tomllib.loads(config.read_text(encoding="utf-8")).get("default", {})
    saved = {key: value for name in ("global", "deploy") for key, value in _saved(commands, name).items()}
    return boto3.Session(region_name=saved.get("region"), profile_name=saved.get("profile"))


def _saved(commands: Mapping[str, Any], name: str) -> dict[str, Any]:
    parameters: dict[str, Any] = commands.get(name, {}).get("parameters", {})
    return parameters
