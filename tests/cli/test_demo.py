"""`lfr demo`: an alert for the listed volunteer, none when nobody is listed. The scene goes through all the actors."""

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx
import pytest

from lfr.cli import demo


@contextmanager
def demonstration(*more):
    """The command under way; ended when the test is over, whatever happened."""
    command = [sys.executable, "-m", "lfr", "demo", "--headless", "--until-alert", "--json", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(280, process.terminate)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate()


@pytest.mark.ray
def test_the_volunteer_raises_an_alert_and_the_api_serves_meanwhile():
    with demonstration("--timeout", "240") as process:
        told = ""
        while "password" not in told:
            line = process.stderr.readline()
            assert line, told
            told += line
        url = re.search(r"http://127\.0\.0\.1:\d+", told).group()
        health = httpx.get(f"{url}/api/v1/health", timeout=30, trust_env=False)
        assert health.json()["state"] in {"starting", "live", "degraded", "unknown"}
        said = json.loads(process.stdout.read())
        assert process.wait() == 0
    assert said["alerts"] >= 1
    assert said["url"] == url
    assert said["transits"] >= 1
    assert 0 < said["seconds_to_first_alert"] < 240


@pytest.mark.ray
def test_with_nobody_listed_people_walk_by_and_there_is_no_alert():
    with demonstration("--timeout", "100", "--without-entry") as process:
        said = json.loads(process.stdout.read())
        assert process.wait() == 1
    assert said["alerts"] == 0
    assert said["seconds_to_first_alert"] is None
    assert said["transits"] >= 1


def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not demo._has_browser()
    monkeypatch.setitem(os.environ, "DISPLAY", ":0")
    assert demo._has_browser()


def test_it_says_that_it_proves_plumbing_only():
    assert "same photograph" in demo.NOTE
    assert "not how accurate" in demo.NOTE
