"""Files that travel with the package: configs, packs, policies."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def configs() -> Path:
    """The folder `configs`: inside an installed package, or beside it in a checkout."""
    inside = _PACKAGE / "configs"
    return inside if inside.is_dir() else _PACKAGE.parent / "configs"
