"""Finding, reading and comparing policy files (`configs/policies/NAME.yaml`). A policy is read whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from lfr.domain.errors import ConfigError
from lfr.domain.policy import Policy
from lfr.domain.policy_check import faults
from lfr.resources import configs
from lfr.services import strict_yaml

_HINT = "see configs/policies/uk-default.yaml for the known keys"


def policy_names() -> list[str]:
    """The policies in configs/policies."""
    return sorted(path.stem for path in (configs() / "policies").glob("*.yaml"))


def load(name_or_path: str) -> Policy:
    """The policy of that name, or the one in a YAML file. Raises ConfigError with file and key."""
    path = _path(name_or_path)
    return parse(_bytes(path, name_or_path), where=str(path))


def read(name_or_path: str) -> Policy:
    """As `load`, also for a policy that contradicts itself: to say all that is wrong with it."""
    path = _path(name_or_path)
    return strict_yaml.decode(_bytes(path, name_or_path), Policy, where=str(path), hint=_HINT)


def parse(raw: bytes, *, where: str) -> Policy:
    """Decode a policy's YAML. Raises ConfigError, also for a policy that contradicts itself."""
    policy = strict_yaml.decode(raw, Policy, where=where, hint=_HINT)
    found = faults(policy)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ConfigError(f"{where}: {found[0]}{more}", hint="`lfr policy check FILE` lists everything that is wrong")
    return policy


def _path(name_or_path: str) -> Path:
    named = Path(name_or_path)
    is_file = named.suffix in {".yaml", ".yml"} or len(named.parts) > 1
    return named.expanduser() if is_file else configs() / "policies" / f"{name_or_path}.yaml"


def _bytes(path: Path, asked: str) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ConfigError(
            f"no policy {asked!r}", hint=f"known policies: {', '.join(policy_names())}; or give a policy file"
        ) from error


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that two policies disagree about. before, after: as in the file; None = it is not there."""

    where: str
    before: Any
    after: Any


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """Every key in which two policies differ, in the order of the file. What has a code is compared by its code."""
    one, other = dict(_flat(before)), dict(_flat(after))
    keys = list(dict.fromkeys([*one, *other]))
    return tuple(Difference(key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key))


def _flat(policy: Policy) -> Iterator[tuple[str, Any]]:
    yield from _leaves(msgspec.to_builtins(policy), "")


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, f"{where}.{key}" if where else str(key))
    elif isinstance(value, (list, tuple)) and value and all(isinstance(one, dict) and "code" in one for one in value):
        for one in value:
            rest = {key: each for key, each in one.items() if key != "code"}
            yield from _leaves(rest, f"{where}.{one['code']}")
    else:
        yield where, value
