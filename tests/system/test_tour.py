"""One deployment from its plan to its close, by its people, in real browsers, on a real running system."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from lfr.actors.runtime import Runtime
from lfr.cli.running import served
from lfr.config import Camera
from lfr.services import alerts, deployments, ledger, retention, users
from tests.support.api import PASSWORD, drawing
from tests.support.browsing import SIZES, accessible, chromium
from tests.support.desk import FORCE_POLICY
from tests.support.office import changed_policy
from tests.support.system import system, system_config, wait_for
from tests.support.walkers import portrait, walkers_clip

pytestmark = [pytest.mark.ray, pytest.mark.browser, pytest.mark.timeout(280)]

POLICY = changed_policy(FORCE_POLICY, signs={"items": ("signs",)}, watchlist={"second_check": True})
LEDGER = "the ledger has one of its own"
PEOPLE = {"olga": "authorising-officer", "petra": "operator", "wim": "watchlist-owner", "evan": "engagement-officer",
    "dora": "data-protection-officer"}  # fmt: skip
PLACE = "51.4800, -3.1800\n51.4800, -3.1700\n51.4860, -3.1700\n"
AT_THE_PLACE = {"latitude": 51.482, "longitude": -3.172}
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.id || e.className || e.tagName)"""
SHOTS = os.environ.get("LFR_SCREENSHOTS")
"""A folder for pictures of every page that the tour comes by; none are taken without it."""


@dataclass
class Tour:
    """A running system, and everybody's own browser."""

    browser: Browser
    runtime: Runtime
    url: str
    deployment: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    async def person(self, name: str, size: str = "desk") -> Page:
        """Their browser, signed in."""
        width, height = SIZES[size]
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark", reduced_motion="reduce",
            geolocation=AT_THE_PLACE, permissions=["geolocation"],
        )  # fmt: skip
        page = self.pages[name] = await context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on(
            "response",
            lambda answer: self.wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        await page.goto(f"{self.url}/sign-in")
        await page.get_by_label("User name").fill(name)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{self.url}/")
        return page

    async def open(self, name: str, under: str = "") -> Page:
        """The deployment's page, or one under it, as they see it."""
        page = self.pages.get(name) or await self.person(name)
        await page.goto(f"{self.url}/deployments/{self.deployment}{under}")
        return page

    async def take(
        self, name: str, step: str, *, password: bool = False, reason: str = "", code: str = "", then: str
    ) -> Page:
        """Take a step as the page offers it, and see the state that follows."""
        page = await self.open(name)
        await page.locator("#actions").get_by_role("button", name=step, exact=True).click()
        dialog = page.locator("#act-dialog")
        if reason:
            await dialog.locator("textarea").fill(reason)
        if code:
            await dialog.locator("select").select_option(code)
        if password:
            await dialog.get_by_label("Your password, again").fill(PASSWORD)
        await dialog.locator("#act-go").click()
        await expect(dialog).to_be_hidden()
        await expect(page.locator("#state-chip")).to_have_text(then)
        return page

    async def seen(self, name: str, what: str) -> None:
        """It is accessible, scrolls nowhere sideways, and is kept as a picture where somebody wants to look at it."""
        page = self.pages[name]
        await accessible(page)
        assert await page.evaluate(TOO_WIDE) == [], what
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"{what}.png", full_page=True)

    async def everywhere(self, name: str, what: str) -> None:
        """The same at the width of a desk and of a phone."""
        page = self.pages[name]
        before = page.viewport_size
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await self.seen(name, f"{what}-{size}")
        await page.set_viewport_size(before)


@asynccontextmanager
async def touring(folder: Path) -> AsyncIterator[Tour]:
    (folder / "policy.yaml").write_bytes(msgspec.yaml.encode(POLICY))
    clip = walkers_clip(folder / "walk.mp4", [1, 5, 2] * 50, every_s=2.0)
    cameras = [Camera(id="north", url=str(clip), pace="live", title="North gate")]
    config = system_config(folder / "data", cameras, policy=str(folder / "policy.yaml"), force="north-force")
    config = msgspec.structs.replace(config, api=msgspec.structs.replace(config.api, port=0))
    async with chromium() as browser, system(config) as runtime, served(runtime) as (url, _):
        for name, role in PEOPLE.items():
            rank = "lead" if name == "olga" else None
            await users.add_user(runtime.db, name, role, PASSWORD, rank=rank, must_change=False)
        await ledger.init(runtime.db, "dora", LEDGER, by="dora")
        yield Tour(browser, runtime, url)


def archive(*identities: int) -> bytes:
    """A ZIP as a force would hand it over: a table and its pictures."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        rows = [f"walker {one},{one}.png,N/{one}" for one in identities]
        lines = ["label,image,nominal_ref", *rows, "nobody,missing.png,N/0"]
        file.writestr("list.csv", "\r\n".join(lines))
        for one in identities:
            file.writestr(f"{one}.png", portrait(one))
    return packed.getvalue()


@pytest.mark.rule("A1", "A9", "A13")
async def test_from_a_plan_to_the_close_in_the_browser(tmp_path: Path) -> None:
    async with touring(tmp_path) as tour:
        await plan(tour)
        await listing(tour)
        await authority(tour)
        await at_the_place(tour)
        await recognition(tour)
        await closing(tour)
        await rights(tour)
        assert tour.wrong == []


async def plan(tour: Tour) -> None:
    page = await tour.person("petra")
    await page.goto(f"{tour.url}/deployments")
    await tour.everywhere("petra", "01-no-deployment")
    await page.locator("#new").click()
    await page.get_by_label("Title").fill("Saturday market")
    await page.get_by_role("button", name="Start planning").click()
    await page.wait_for_url("**/deployments/*-*")
    tour.deployment = page.url.rsplit("/", 1)[1]
    await expect(page.locator("#title")).to_have_text("Saturday market")
    await expect(page.locator("#missing li").first).to_be_visible()
    await tour.everywhere("petra", "02-empty-plan")
    why = page.locator("#part-why")
    await why.get_by_label("Consenting volunteer").check()
    for words in await why.locator("textarea").all():
        await words.fill("Volunteers walk past the gate so that we can see how the system behaves on a busy morning.")
    await saved(page, "why")
    where = page.locator("#part-where")
    await where.get_by_label("Name of the place").fill("High Street")
    await where.get_by_label("Corners").fill(PLACE)
    await saved(page, "where")
    now = datetime.now().astimezone().replace(second=0, microsecond=0)
    when = page.locator("#part-when")
    await when.get_by_label("Start").fill((now - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M"))
    await when.get_by_label("End").fill((now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"))
    await saved(page, "when")
    await page.locator("#zones .z-used").check()
    await expect(page.locator(".z-note")).to_have_text("4 corners")
    people = page.locator("#part-people")
    for word, name in (("Authorising Officer", "olga"), ("LFR Operator", "petra"), ("Watchlist owner", "wim")):
        await people.get_by_label(word).fill(name)
    await people.get_by_label("Engagement Officer").fill("evan")
    await saved(page, "people")
    await page.reload()
    await expect(page.locator("#missing-none")).to_be_visible()
    await tour.everywhere("petra", "03-whole-plan")
    await page.locator(".z-edit").click()
    await tour.everywhere("petra", "04-zone")
    await page.locator("#zone-dialog [data-close]").click()


async def saved(page: Page, part: str) -> None:
    form = page.locator(f"#part-{part}")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator(".saved")).to_have_text("Saved")


async def listing(tour: Tour) -> None:
    """One adds, another looks: whoever added a picture cannot confirm it."""
    page = await tour.open("wim", "/watchlist")
    await page.locator("#import input[type=file]").set_input_files(
        {"name": "list.zip", "mimeType": "application/zip", "buffer": archive(1, 2)}
    )
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.locator("#report-sum")).to_have_text("2 would be enrolled, 1 refused. Nothing was written.")
    await page.get_by_label("Only try").uncheck()
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.locator("#report-sum")).to_have_text("2 enrolled, 1 refused.")
    await expect(page.locator("#entries .entry")).to_have_count(2)
    await expect(page.locator(".e-confirm:visible")).to_have_count(0)
    await tour.everywhere("wim", "05-watchlist")
    other = await tour.open("petra", "/watchlist")
    await expect(other.locator(".e-confirm:visible")).to_have_count(2)
    for left in (1, 0):
        await other.locator(".e-confirm:visible").first.click()
        await expect(other.locator(".e-confirm:visible")).to_have_count(left)
    await tour.seen("petra", "06-second-look")


async def authority(tour: Tour) -> None:
    page = await tour.take("petra", "Submit for authority", then="Submitted")
    await expect(page.locator("#actions").get_by_role("button", name="Authorise")).to_have_count(0)
    page = await tour.open("olga")
    await page.get_by_role("button", name="Authorise", exact=True).click()
    await tour.everywhere("olga", "07-authorise")
    await page.get_by_label("Your password, again").fill("not my password at all")
    await page.locator("#act-go").click()
    await expect(page.locator("#act-error")).to_be_visible()
    tour.wrong.clear()  # the browser reports the refused request itself
    await tour.take("olga", "Authorise", password=True, then="Authorised")
    page = await tour.take("olga", "Approve the list", password=True, then="Ready")
    await expect(page.locator("#decisions .decision")).to_have_count(2)
    page = await tour.open("petra")
    await expect(page.locator("#missing li").first).to_contain_text("C4")
    await tour.everywhere("petra", "08-ready-without-signs")


async def at_the_place(tour: Tour) -> None:
    page = await tour.person("evan", "phone")
    await tour.open("evan", "/signs")
    await expect(page.locator("#due")).to_have_text("1 of 1 still to be photographed.")
    await tour.seen("evan", "09-signs-before")
    await page.locator(".s-file").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": drawing("SIGN")}
    )
    await expect(page.locator("#due")).to_contain_text("Next look in")
    await tour.seen("evan", "10-signs-after")


async def recognition(tour: Tour) -> None:
    page = await tour.take("petra", "Go live", then="Live")
    await tour.everywhere("petra", "11-live-deployment")
    await page.goto(f"{tour.url}/")
    await expect(page.locator(".alert").first).to_be_visible(timeout=60_000)
    await tour.seen("petra", "12-live")
    deployment = UUID(tour.deployment)
    assert await alerts.list_alerts(tour.runtime.db, deployment)
    # Anybody who has an account stops it, from the deployment's page as from the live page.
    await tour.take("evan", "Stop", then="Stopped")
    await tour.seen("evan", "13-stopped-phone")
    matcher = next(iter(tour.runtime.control.crew.matchers.values()))
    assert (await matcher.status.remote())["entries"] == 0
    page = await tour.open("petra")
    await expect(page.locator("#actions").get_by_role("button", name="Go live")).to_have_count(0)
    await tour.take("olga", "Allow a restart", password=True, reason="The camera was turned back.", then="Ready")
    await tour.take("petra", "Go live", then="Live")
    await tour.take("petra", "Pause", then="Paused")
    await tour.take("petra", "Resume", then="Live")
    await addition(tour)


async def addition(tour: Tour) -> None:
    """Somebody is added while it is live: compared only after the Authorising Officer has signed it."""
    page = await tour.open("wim", "/watchlist")
    await page.get_by_label("Only try").uncheck()
    await page.locator("#import input[type=file]").set_input_files(
        {"name": "one.zip", "mimeType": "application/zip", "buffer": archive(5)}
    )
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.locator("#report-sum")).to_have_text("1 enrolled, 1 refused.")
    other = await tour.open("petra", "/watchlist")
    await other.locator(".e-confirm:visible").click()
    await expect(other.locator(".e-confirm:visible")).to_have_count(0)
    matcher = next(iter(tour.runtime.control.crew.matchers.values()))
    assert (await matcher.status.remote())["entries"] == 2
    page = await tour.take("olga", "Approve additions", password=True, then="Live")
    await expect(page.locator("#decisions .decision")).to_have_count(4)
    assert (await matcher.status.remote())["entries"] == 3
    # A removal needs nobody's signature and applies at once.
    page = await tour.open("wim", "/watchlist")
    page.once("dialog", lambda dialog: dialog.accept())
    await page.locator(".entry", has_text="walker 5").get_by_role("button", name="Take off").click()
    await expect(page.locator(".entry")).to_have_count(2)
    assert (await matcher.status.remote())["entries"] == 2


async def closing(tour: Tour) -> None:
    await tour.take("petra", "End", code="finished", then="Ended")
    page = await tour.take("olga", "Close and shred", then="Closed")
    await tour.everywhere("olga", "14-closed")
    await page.goto(f"{tour.url}/retention")
    await expect(page.locator("#balance tr")).to_have_count(1)
    await tour.everywhere("olga", "15-retention")
    for path in ("policy", "deployments"):
        await page.goto(f"{tour.url}/{path}")
        await expect(page.locator("h1")).to_be_visible()
        await tour.everywhere("olga", f"16-{path}")
    row = await deployments.get_deployment(tour.runtime.db, UUID(tour.deployment))
    assert row.closed_at is not None
    books = await retention.reconcile(tour.runtime.db, tour.runtime.vault, row.id)
    assert (books.off, books.living) == (0, 0)
    assert books.deleted == books.created > 0
    await wait_for(lambda: _no_mandate(tour), "the cameras to let go")


async def rights(tour: Tour) -> None:
    """The pictures are gone; that somebody was listed is remembered for the one who may answer."""
    page = await tour.person("dora")
    await page.get_by_role("link", name="Rights").click()
    await tour.everywhere("dora", "17-rights")
    await page.get_by_label("The force's reference").fill("n/ 2")
    await page.get_by_label("The ledger's password").fill(LEDGER)
    await page.get_by_role("button", name="Look it up").click()
    await expect(page.locator("#found-title")).to_have_text("This reference was listed")
    await expect(page.locator("#memberships li")).to_have_count(1)
    await expect(page.locator("#memberships li")).to_contain_text("Taken off")
    await page.get_by_label("Confirm, with what is recorded").check()
    await page.get_by_role("button", name="Record the reply").click()
    await expect(page.locator("#letter")).to_be_visible()
    await tour.everywhere("dora", "18-rights-answered")


async def _no_mandate(tour: Tour) -> bool:
    return (await tour.runtime.control.status()).mandate_ends_at is None
