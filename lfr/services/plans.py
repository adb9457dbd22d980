"""Plans as people write them: YAML files, read strictly, and a commented one to begin with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from lfr.config import Config
from lfr.domain.errors import ConfigError
from lfr.domain.plan import Plan
from lfr.domain.policy import Policy
from lfr.resources import configs
from lfr.storage.columns import now

_MOST = 1 << 18
_WHOLE = "[[0, 0], [1, 0], [1, 1], [0, 1]]"


def read(path: Path) -> Plan:
    """The plan in a YAML file, times in UTC. Raises ConfigError with file and key."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read the plan {path}: {error.strerror}", hint="`lfr deployment plan --template` prints one"
        ) from None
    if len(raw) > _MOST:
        raise ConfigError(f"{path} is too long for a plan", hint="`lfr deployment plan --template` prints one")
    try:
        _without_aliases(raw)
        plan = msgspec.convert(_filled(msgspec.yaml.decode(raw)), Plan)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}", hint="`lfr deployment plan --template` has all keys") from None
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}".splitlines()[0], hint="check indentation") from None
    return in_utc(plan)


def _without_aliases(raw: bytes) -> None:
    # Aliases of aliases can make a small file endless.
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(raw)):
        raise msgspec.DecodeError("anchors and aliases have no place in a plan")


def _filled(value: Any) -> Any:
    """What still stands as <...> in a template was not written: it is empty, so that the gates see that."""
    if isinstance(value, dict):
        return {key: _filled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return "" if isinstance(value, str) and value.startswith("<") and value.endswith(">") else value


def in_utc(plan: Plan) -> Plan:
    """The same window in UTC, so that one plan has one digest. Raises ConfigError for a time without a zone."""
    return msgspec.structs.replace(plan, starts_at=_utc(plan.starts_at), ends_at=_utc(plan.ends_at))


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.utcoffset() is None:
        raise ConfigError(f"the plan's time {at} has no zone", hint="write it as 2026-12-05T10:00:00Z")
    return at.astimezone(UTC).replace(microsecond=0)


def template(config: Config, policy: Policy) -> str:
    """A commented plan for this system and policy, to be filled in."""
    usable = [one.code for one in policy.categories if not one.disabled]
    cameras = "".join(
        f"  - camera: {camera.id}\n    zone: {_corners(camera.zone)}\n    masks: []\n" for camera in config.cameras
    )
    filled = {
        "USE_CASES": ", ".join(one.code for one in policy.use_cases),
        "USE_CASE": policy.use_cases[0].code,
        "CATEGORIES": ", ".join(usable),
        "CATEGORY": usable[0] if usable else "",
        "CAMERAS": cameras.rstrip("\n") or "  []",
        "FORCE": config.force,
        "MAX_HOURS": f"{policy.authority.max_window_hours:g}",
    }
    tomorrow = now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    filled["STARTS_AT"] = f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"
    filled["ENDS_AT"] = f"{tomorrow + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}"
    text = (configs() / "plan.yaml").read_text()
    for word, value in filled.items():
        text = text.replace(word, value)
    return text


def _corners(zone: tuple[tuple[float, float], ...]) -> str:
    if not zone:
        return f"{_WHOLE} # narrow it"
    return "[" + ", ".join(f"[{x:g}, {y:g}]" for x, y in zone) + "]"
