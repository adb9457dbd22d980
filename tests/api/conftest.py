"""A whole application on real storage; only the actors are played by the shipped double."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from lfr.config import Config
from tests.support.api import House, build_house

ROLES = ("operator", "engineer", "auditor")


@dataclass
class Signed:
    """The headers with which each role asks."""

    operator: dict[str, str]
    engineer: dict[str, str]
    auditor: dict[str, str]
    local: dict[str, str]

    def of(self, role: str) -> dict[str, str]:
        return getattr(self, role)


@pytest.fixture(scope="session")
async def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A database with one account per role (`some-ROLE`), `anna` and `new` (one-time password); tokens by role."""
    folder = tmp_path_factory.mktemp("furnished")
    async with build_house(folder) as house:
        for role in ROLES:
            await house.user(f"some-{role}", role)
        await house.user("anna", "operator")
        await house.user("newcomer", "operator", must_change=True)
        tokens = {role: await house.token(f"some-{role}") for role in ROLES}
    return folder, tokens


@pytest.fixture
async def house(tmp_path: Path, furnished: tuple[Path, dict[str, str]]) -> AsyncIterator[House]:
    async with build_house(tmp_path, furnished[0]) as built:
        yield built


@pytest.fixture
def app(house: House) -> Litestar:
    return house.app()


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with AsyncTestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened


@pytest.fixture
def signed(house: House, furnished: tuple[Path, dict[str, str]]) -> Signed:
    bearer = {role: {"authorization": f"Bearer {token}"} for role, token in furnished[1].items()}
    return Signed(**bearer, local={"authorization": f"Bearer {house.local_token}"})


@pytest.fixture
def house_config() -> Config:
    return Config(name="demo", mode="demo", pack="embedded")
