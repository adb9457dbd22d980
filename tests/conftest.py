"""What all tests share. Assets (weights, faces, clips) come from LFR_ASSETS, default ../shared beside the checkout."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.ray_runtime", "tests.support.rules"]

# Cores are shared: how long one example takes says nothing.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

ROOT = Path(__file__).parents[1]
os.environ.setdefault("LFR_ASSETS", str((ROOT.parent / "shared").resolve()))
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

SYSTEM_PARTS = {
    "rtsp": (
        "GStreamer's RTSP server",
        "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad,ugly}",
    ),
    "postgres": ("PostgreSQL's server", "postgresql"),
    "browser": ("Chromium", "chromium"),
}


def _rtsp_present() -> bool:
    return (
        any(Path("/usr/lib").glob("*/girepository-1.0/GstRtspServer-1.0.typelib")) and Path("/usr/bin/python3").exists()
    )


def _postgres_present() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _browser_present() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


PRESENT = {"rtsp": _rtsp_present, "postgres": _postgres_present, "browser": _browser_present}


def assets_dir() -> Path | None:
    """The assets folder, or None where it is absent."""
    path = Path(os.environ["LFR_ASSETS"])
    return path if (path / "models").is_dir() else None


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of weights, faces and clips (tests using it are marked `assets`)."""
    path = assets_dir()
    assert path is not None
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip with a clear reason what this machine cannot run; under CI a skip is a failure (below)."""
    missing = {name for name, present in PRESENT.items() if not present()}
    for item in items:
        for name in missing:
            if item.get_closest_marker(name):
                part, packages = SYSTEM_PARTS[name]
                item.add_marker(pytest.mark.skip(reason=f"{part} is not installed: apt-get install {packages}"))
        if item.get_closest_marker("assets") and assets_dir() is None:
            item.add_marker(
                pytest.mark.skip(reason="no test assets: set LFR_ASSETS to the folder of models, faces and video")
            )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Under CI nothing may be skipped: a skipped promise is not kept."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if os.environ.get("CI") == "true" and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """End with the list of skipped system parts and how to install them."""
    reasons = sorted(
        {str(r.longrepr[2]) for r in terminalreporter.stats.get("skipped", []) if isinstance(r.longrepr, tuple)}
    )
    if reasons:
        terminalreporter.section("not run on this machine")
        for reason in reasons:
            terminalreporter.line(reason.removeprefix("Skipped: "))
        if os.environ.get("CI") == "true":
            terminalreporter.line("CI=true: a skip is a failure")
