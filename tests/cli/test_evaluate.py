"""`lfr evaluate clip`: a JSON line whatever the score, a clear error when it cannot run."""

import json

import pytest
from typer.testing import CliRunner

from lfr.actors import clip as clip_actor
from lfr.cli import app as root
from lfr.cli.evaluate import app
from lfr.evaluation.clip_run import ClipAlert, ClipRun
from tests.support.street_clip import make_street_clip

RUN = ClipRun("live", 0.4, 2.0, 48, 24, 3, 90, 20, 4, 1, 1, (ClipAlert("volunteer", 16, 0.9, 0.4, 2.0, 80.0, 900.0),))


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return make_street_clip(tmp_path_factory.mktemp("street"))


@pytest.fixture
def asked(monkeypatch):
    """A run that is made already; gives what the runtime was asked for."""
    given = {}

    async def ready(clip, people, located, *, threshold, pace, progress):
        given.update(clip=clip, people=people, pack=located.pack.name, threshold=threshold, pace=pace)
        progress("enrol", 1, 2)
        return RUN

    monkeypatch.setattr(clip_actor, "run_clip", ready)
    return given


def evaluate(street, *more):
    return CliRunner().invoke(app, ["clip", *street.arguments(), "--pack", "embedded", *more], catch_exceptions=False)


def test_one_json_line_is_all_there_is_on_stdout(street, asked):
    done = evaluate(street, "--json", "--pace", "live", "--threshold", "0.4")
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert (said["found"], said["tpir"], said["false_alerts"], said["fpir"]) == (1, 1.0, 0, 0.0)
    assert (said["enrolled"], said["enrol_failed"], said["pace"], said["pack"]) == (1, 1, "live", "embedded")
    assert said["curve"][0] == [0.4, 1, 0]
    assert "enrol" in done.stderr


def test_the_runtime_gets_labels_and_pictures_and_nothing_of_the_truth(street, asked):
    evaluate(street, "--json")
    assert asked == {
        "clip": street.clip,
        "people": [
            ("volunteer", [street.faces / "volunteer" / "1.png"]),
            ("nobody", [street.faces / "nobody.png"]),
        ],
        "pack": "embedded",
        "threshold": None,
        "pace": "file",
    }


def test_without_json_there_are_tables(street, asked):
    done = evaluate(street)
    assert done.exit_code == 0
    assert "tpir" in done.stdout
    assert "found against false" in done.stdout


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"--truth": "none.json"}, "none.json"),
        ({"--faces": "no-folder"}, "no-folder"),
        ({"--pack": "no-such-pack"}, "no-such-pack"),
    ],
)
def test_what_cannot_run_is_one_line_with_a_hint(street, changed, words, capsys):
    arguments = ["evaluate", "clip", *street.arguments(), "--pack", "embedded", "--json"]
    for option, value in changed.items():
        arguments[arguments.index(option) + 1] = value
    with pytest.raises(SystemExit) as left:
        root.run(arguments)
    shown = capsys.readouterr()
    assert left.value.code == 1
    assert shown.out == ""
    assert words in shown.err.splitlines()[0]
    assert shown.err.splitlines()[1].startswith("hint: ")


def test_a_clip_that_is_not_there_is_refused_before_anything_starts(street, tmp_path, capsys):
    arguments = ["evaluate", "clip", *street.arguments(), "--pack", "embedded", "--json"]
    arguments[2] = str(tmp_path / "gone.mp4")
    with pytest.raises(SystemExit) as left:
        root.run(arguments)
    shown = capsys.readouterr()
    assert (left.value.code, shown.out) == (1, "")
    assert "gone.mp4" in shown.err.splitlines()[0]
