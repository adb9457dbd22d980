"""All pages of one evaluation, in order."""

from __future__ import annotations

from datetime import UTC, datetime

from lfr.evaluation.report import rate_pages, set_pages
from lfr.evaluation.report.group_pages import group_pages
from lfr.evaluation.report.page import Page, Report
from lfr.evaluation.set_run import Evaluated


def build(found: Evaluated, name: str, at: datetime | None = None) -> Report:
    """The report. name: of the set's folder. at: the date it bears."""
    when = at or datetime.now(UTC)
    pages: list[Page | None] = [
        rate_pages.summary(found),
        rate_pages.curves(found),
        rate_pages.scores(found),
        rate_pages.list_sizes(found),
        rate_pages.ways(found),
        *group_pages(found),
        rate_pages.against(found),
        set_pages.the_set(found, name),
        set_pages.method(found),
    ]
    return Report(
        "Evaluation of face recognition on a labelled set",
        f"pack {found.pack.name}, set {name}, {when:%d %B %Y}",
        tuple(page for page in pages if page is not None),
    )
