"""Times come back as they went in, with their zone; a time without one is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from lfr.storage.columns import moment, now
from lfr.storage.models import Deployment
from tests.support.stores import blank_deployment


async def test_a_moment_comes_back_as_it_was(store):
    summer = timezone(timedelta(hours=5, minutes=30))
    at = datetime(2026, 7, 1, 3, 4, 5, 678901, summer)
    row = blank_deployment(made_at=at)
    async with store.db.transaction() as session:
        session.add(row)
    async with store.db.session() as session:
        back = (await session.get(Deployment, row.id)).made_at
    assert back == at
    assert back.utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_refused(store):
    row = blank_deployment(made_at=datetime(2026, 7, 1))  # noqa: DTZ001
    with pytest.raises((StatementError, ValueError), match="zone"):
        async with store.db.transaction() as session:
            session.add(row)


def test_seconds_and_moments_agree():
    assert moment(0.25) == datetime(1970, 1, 1, 0, 0, 0, 250_000, UTC)
    assert now().tzinfo is UTC
