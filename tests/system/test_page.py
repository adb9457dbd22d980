"""The pages in a real browser: Chromium against a real server, at the width of a desk and of a phone."""

import asyncio
import contextlib
from dataclasses import dataclass

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.api import PASSWORD, House, build_house, served
from tests.support.browsing import SIZES, accessible, chromium
from tests.support.wire import Wire, wire

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
async def furnished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("furnished")
    async with build_house(folder) as house:
        await house.user("anna", "operator")
        await house.user("newcomer", "auditor", must_change=True)
    return folder


@pytest.fixture
async def house(tmp_path, furnished):
    async with build_house(tmp_path, furnished) as built:
        yield built


@dataclass
class Screen:
    """One browser window on one running system."""

    page: Page
    url: str
    wire: Wire
    house: House
    asked: list[str]
    wrong: list[str]

    async def sign_in(self, name: str = "anna") -> None:
        await self.page.goto(f"{self.url}/sign-in")
        await self.page.get_by_label("User name").fill(name)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()

    async def live(self) -> None:
        await self.sign_in()
        await self.page.wait_for_url(f"{self.url}/")
        await expect(self.page.locator("#link")).to_have_text("Connected")


@contextlib.asynccontextmanager
async def screen(browser: Browser, house: House, size: str = "desk", scheme: str = "dark"):
    """A window that must ask nothing of anybody else. Between it and the system lies a wire that can be cut."""
    async with served(house.app(), house.config) as url, wire(url) as between:
        width, height = SIZES[size]
        context = await browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = await context.new_page()
        opened = Screen(page, between.url, between, house, [], [])
        page.on("request", lambda request: opened.asked.append(request.url))
        page.on("console", lambda line: opened.wrong.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: opened.wrong.append(str(error)))
        try:
            yield opened
            assert not [asked for asked in opened.asked if not asked.startswith(between.url)]
        finally:
            await context.close()


@pytest.mark.parametrize("size", SIZES)
async def test_signing_in_shows_cameras_health_and_what_this_is_not_for(browser, house, size):
    async with screen(browser, house, size) as on:
        await on.live()
        page = on.page
        await expect(page.get_by_text("Not for operational use.")).to_be_visible()
        await expect(page.get_by_text("so this proves plumbing, not accuracy")).to_be_visible()
        await expect(page.get_by_text("It is not grounds for arrest, search or force.")).to_be_visible()
        await expect(page.locator(".tile")).to_have_count(2)
        await expect(page.locator(".tile").nth(1)).to_contain_text("Reconnecting")
        await expect(page.locator("#h-age")).to_have_text("402 / 734 ms")
        await expect(page.locator("#h-threshold")).to_have_text("0.512")
        await expect(page.locator("#alerts-empty")).to_contain_text("No alert so far")
        # A tile was really drawn: its pixels are not all one colour.
        drawn = """() => { const c = document.querySelector('.tile canvas');
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            return new Set(d.filter((_, i) => i % 4 === 0)).size > 5 }"""
        await page.wait_for_function(drawn)
        assert on.wrong == []


@pytest.mark.parametrize("size", SIZES)
async def test_an_alert_appears_by_itself_with_both_pictures_at_one_size_and_raw_numbers(browser, house, size):
    entry = await house.entry("Volunteer 7")
    async with screen(browser, house, size) as on:
        await on.live()
        await house.alert(entry, score=0.5873)
        alert = on.page.locator(".alert")
        await expect(alert).to_have_count(1)
        await expect(alert).to_contain_text("Volunteer 7")
        await expect(alert.locator(".a-score")).to_have_text("0.587")
        await expect(alert.locator(".a-threshold")).to_have_text("0.512")
        await expect(alert.locator(".a-gap")).to_have_text("0.081")
        await expect(on.page.locator("#announce")).to_contain_text("New alert, camera North gate")
        loaded = "() => [...document.querySelectorAll('.pair img')].every(i => i.complete && i.naturalWidth === 240)"
        await on.page.wait_for_function(loaded)
        boxes = [await image.bounding_box() for image in await alert.locator(".pair img").all()]
        assert boxes[0]["width"] == boxes[1]["width"] >= 120
        assert boxes[0]["height"] == boxes[1]["height"]
        assert boxes[0]["y"] == boxes[1]["y"]
        # E5: no percentage, and one colour for every number whatever the score.
        assert "%" not in await on.page.locator("main").inner_text()
        colours = "() => new Set([...document.querySelectorAll('.facts dd')].map(d => getComputedStyle(d).color)).size"
        assert await on.page.evaluate(colours) == 1
        assert on.wrong == []


async def test_newest_alerts_stand_first_and_an_alert_is_shown_once(browser, house):
    entry = await house.entry("Volunteer 7")
    await house.alert(entry, score=0.601)
    async with screen(browser, house) as on:
        await on.live()
        await expect(on.page.locator(".alert")).to_have_count(1)
        for score in (0.602, 0.603):
            await house.alert(entry, score=score)
        await expect(on.page.locator(".a-score")).to_have_text(["0.603", "0.602", "0.601"])
        await on.page.reload()
        await expect(on.page.locator(".a-score")).to_have_text(["0.603", "0.602", "0.601"])


async def test_a_lost_connection_is_plain_to_see_and_what_was_missed_is_replayed(browser, house):
    entry = await house.entry("Volunteer 7")
    async with screen(browser, house) as on:
        await on.live()
        await house.alert(entry, score=0.601)
        await expect(on.page.locator(".alert")).to_have_count(1)
        await on.wire.cut()
        await expect(on.page.locator("#lost")).to_contain_text("No connection to the system")
        await expect(on.page.locator("#link")).to_have_text("No connection")
        await expect(on.page.locator(".t-veil").first).to_contain_text("This picture is old")
        # Plain to see wherever one has scrolled to: the words stand in the bar that stays.
        await on.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await expect(on.page.locator("#lost")).to_be_in_viewport()
        for score in (0.602, 0.603):
            await house.alert(entry, score=score)
        await asyncio.sleep(0.5)
        await expect(on.page.locator(".alert")).to_have_count(1)
        await on.wire.mend()
        await expect(on.page.locator(".a-score")).to_have_text(["0.603", "0.602", "0.601"], timeout=15_000)
        await expect(on.page.locator("#lost")).to_be_hidden()
        await expect(on.page.locator("#link")).to_have_text("Connected")


async def test_everything_is_done_with_the_keyboard_alone(browser, house):
    entry = await house.entry("Volunteer 7")
    for score in (0.601, 0.602):
        await house.alert(entry, score=score)
    async with screen(browser, house) as on:
        page, key = on.page, on.page.keyboard
        await page.goto(f"{on.url}/sign-in")
        await key.type("anna")
        await key.press("Tab")
        await key.type(PASSWORD)
        await key.press("Enter")
        await page.wait_for_url(f"{on.url}/")
        await expect(page.locator(".alert")).to_have_count(2)

        await key.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to alerts"
        await key.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "alerts"

        focused = "document.activeElement.querySelector('.a-score')?.textContent"
        await key.press("j")
        assert await page.evaluate(focused) == "0.602"
        await key.press("j")
        assert await page.evaluate(focused) == "0.601"
        await key.press("k")
        assert await page.evaluate(focused) == "0.602"
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await key.press("o")
        await expect(page.locator(".a-scene").first).to_be_visible()

        await key.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await key.press("Escape")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()

        await key.press("s")
        await expect(page.get_by_role("dialog", name="Stop recognition?")).to_be_visible()
        assert house.control.asked == []
        await key.press("Escape")
        assert house.control.asked == []
        await key.press("s")
        await key.press("Enter")
        await expect(page.locator("#state")).to_have_text("Stopped")
        assert house.control.asked == [("stop", "anna")]
        await expect(page.locator("#stop-open")).to_be_disabled()
        await expect(page.locator("#state-detail")).to_contain_text("No face is being compared")


async def test_single_letter_keys_can_be_switched_off(browser, house):
    async with screen(browser, house) as on:
        await on.live()
        await on.page.keyboard.press("?")
        await on.page.get_by_label("Single-letter keys on").uncheck()
        await on.page.get_by_role("button", name="Close").click()
        await on.page.keyboard.press("s")
        await expect(on.page.locator("#stop-dialog")).to_be_hidden()


async def test_a_one_time_password_is_changed_before_anything_is_shown(browser, house):
    async with screen(browser, house) as on:
        await on.sign_in("newcomer")
        await expect(on.page.get_by_role("heading", name="Choose your own password")).to_be_visible()
        await on.page.get_by_label("New password").fill("several words will do")
        await on.page.get_by_label("The same again").fill("several other words")
        await on.page.get_by_role("button", name="Save and go on").click()
        await expect(on.page.locator("#new-password-error")).to_have_text("The two are not the same")
        await on.page.get_by_label("The same again").fill("several words will do")
        await on.page.get_by_role("button", name="Save and go on").click()
        await on.page.wait_for_url(f"{on.url}/")
        await expect(on.page.locator(".bar-role")).to_have_text("auditor")


async def test_a_wrong_password_is_told_and_signing_out_leads_to_the_door(browser, house):
    async with screen(browser, house) as on:
        await on.page.goto(on.url)
        await on.page.wait_for_url(f"{on.url}/sign-in")
        await on.page.get_by_label("User name").fill("anna")
        await on.page.get_by_label("Password", exact=True).fill("wrong")
        await on.page.get_by_role("button", name="Sign in").click()
        await expect(on.page.locator("#sign-in-error")).to_contain_text("the name or the password is wrong")
        await on.live()
        await on.page.get_by_role("button", name="Sign out").click()
        await on.page.wait_for_url(f"{on.url}/sign-in")
        await on.page.goto(on.url)
        await on.page.wait_for_url(f"{on.url}/sign-in")


async def test_while_nobody_looks_no_tile_is_asked_for(browser, house):
    async with screen(browser, house) as on:
        await on.live()
        await on.page.wait_for_function("document.querySelectorAll('.tile').length === 2")
        await on.page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
        await asyncio.sleep(0.6)
        on.asked.clear()
        await asyncio.sleep(1.5)
        assert not [asked for asked in on.asked if asked.endswith("/tile")]


@pytest.mark.rule("C5")
async def test_a_camera_outside_its_envelope_says_so_and_one_that_was_moved_is_confirmed(browser, house):
    north, south = house.control.answer.cameras
    moved = msgspec.structs.replace(north, recognition="outside envelope", detail="outside envelope: moved")
    dark = msgspec.structs.replace(south, recognition="outside envelope", detail="outside envelope: too dark")
    dark = msgspec.structs.replace(dark, health="ok")
    house.control.answer = msgspec.structs.replace(house.control.answer, cameras=(moved, dark))
    async with screen(browser, house) as on:
        await on.live()
        first, second = (on.page.locator(".tile").nth(number) for number in range(2))
        await expect(first.locator(".t-veil")).to_have_text("Outside envelope, no alerts · moved")
        await expect(second.locator(".t-veil")).to_have_text("Outside envelope, no alerts · too dark")
        await expect(second.locator(".t-confirm")).to_be_hidden()
        await accessible(on.page)
        await first.get_by_role("button", name="this view is right").click()
        await expect(first.locator(".t-confirm")).to_be_enabled()
        assert ("confirm-view", "north", "anna") in house.control.asked


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"watchlist_entries": 0}, "The watchlist is empty"),
        ({"cameras": ()}, "No camera"),
        ({"state": "starting"}, "Cameras and engine are being opened"),
        ({"state": "stopped"}, "Recognition is stopped"),
        ({"state": "failed"}, "The system failed"),
    ],
)
async def test_an_empty_list_says_why_and_what_to_do(browser, house, changes, words):
    house.control.answer = msgspec.structs.replace(house.control.answer, **changes)
    async with screen(browser, house) as on:
        await on.live()
        await expect(on.page.locator("#alerts-empty")).to_contain_text(words)


async def test_names_from_outside_are_text_and_never_markup(browser, house):
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    camera = msgspec.structs.replace(house.control.answer.cameras[0], title=hostile, detail=hostile, health="failed")
    house.control.answer = msgspec.structs.replace(house.control.answer, cameras=(camera,), notes=(hostile,))
    entry = await house.entry(hostile)
    async with screen(browser, house) as on:
        await on.live()
        await house.alert(entry)
        await expect(on.page.locator(".a-label")).to_have_text(hostile)
        await expect(on.page.locator(".t-title")).to_have_text(hostile)
        await expect(on.page.locator(".mode-notes")).to_contain_text(hostile)
        assert await on.page.locator("img[src=x]").count() == 0
        assert on.wrong == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_serious(browser, house, size, scheme):
    entry = await house.entry("Volunteer 7")
    await house.alert(entry)
    async with screen(browser, house, size, scheme) as on:
        await on.page.goto(f"{on.url}/sign-in")
        await accessible(on.page)
        await on.live()
        await expect(on.page.locator(".alert")).to_have_count(1)
        await on.page.locator("#parts summary").click()
        await on.page.locator(".scene summary").click()
        await accessible(on.page)
        for opened, closed in (("#help-open", "#help-close"), ("#stop-open", "#stop-cancel")):
            await on.page.locator(opened).click()
            await accessible(on.page)
            await on.page.locator(closed).click()
        await on.page.goto(f"{on.url}/api/v1/schema")
        await accessible(on.page)


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
async def test_no_width_scrolls_sideways_and_every_target_is_large_enough(browser, house, width):
    entry = await house.entry("A rather long label that somebody might well choose for an entry")
    await house.alert(entry)
    async with screen(browser, house) as on:
        await on.page.set_viewport_size({"width": width, "height": 844})
        await on.live()
        await expect(on.page.locator(".alert")).to_have_count(1)
        assert await on.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = """() => [...document.querySelectorAll('button, summary, input')].filter(e => {
            const r = e.getBoundingClientRect(); return r.width && (r.width < 24 || r.height < 24) }).map(e => e.id)"""
        assert await on.page.evaluate(small) == []


async def test_the_page_is_small(browser, house):
    async with screen(browser, house) as on:
        sizes = {}

        async def note(response):
            if "/static/" in response.url or response.url == f"{on.url}/":
                with contextlib.suppress(Exception):
                    sizes[response.url] = len(await response.body())

        on.page.on("response", note)
        await on.live()
        await asyncio.sleep(0.3)
        assert len(sizes) >= 8
        assert sum(sizes.values()) < 80_000
