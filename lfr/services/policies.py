"""Finding and reading policy files (`configs/policies/NAME.yaml`). A policy is read whole or not at all."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lfr.domain.errors import ConfigError
from lfr.domain.policy import Policy
from lfr.resources import configs


def policy_names() -> list[str]:
    """The policies in configs/policies."""
    return sorted(path.stem for path in (configs() / "policies").glob("*.yaml"))


def load(name_or_path: str) -> Policy:
    """The policy of that name, or the one in a YAML file. Raises ConfigError with file and key."""
    named = Path(name_or_path)
    is_file = named.suffix in {".yaml", ".yml"} or len(named.parts) > 1
    path = named.expanduser() if is_file else configs() / "policies" / f"{name_or_path}.yaml"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"no policy {name_or_path!r}", hint=f"known policies: {', '.join(policy_names())}; or give a policy file"
        ) from error
    return parse(raw, where=str(path))


def parse(raw: bytes, *, where: str) -> Policy:
    """Decode a policy's YAML. Raises ConfigError."""
    try:
        return msgspec.yaml.decode(raw, type=Policy)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{where}: {error}", hint="see configs/policies/uk-default.yaml for the known keys"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: not valid YAML: {error}".splitlines()[0], hint="check indentation") from error
