"""What does not exist: no name in any interface, table, log, setting or model says what must not be done (C6, D5).

Names are taken apart into words, so that `follow_person`, `followPerson` and `/follow-person` are all found. A name
that has to hold such a word stands in ALLOWED with its reason.
"""

import re
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
import sqlalchemy as sa
import typer
from litestar.routes import HTTPRoute

from lfr import config
from lfr.audit.vocabulary import KINDS
from lfr.cli.app import _COMMANDS, _load
from lfr.domain import errors, packs, plan, policy
from lfr.storage import models
from lfr.vision.engine.base import FaceEngine
from lfr.vision.packs import load_pack, pack_files, pack_names
from tests.support.api import build_house

ROOT = Path(__file__).parents[2]

INFERRED = {
    "audio", "sound", "voice", "speech", "microphone", "emotion", "emotions", "mood", "sentiment", "gait", "ethnicity",
    "ethnic", "race", "racial", "gender", "sex", "religion", "intent", "intention", "deception", "plate", "plates",
    "anpr", "alpr", "lpr", "numberplate",
}  # fmt: skip
"""C6: neither heard, nor inferred, nor joined."""
SEARCHED = {
    "footage", "archive", "rewind", "playback", "follow", "following", "followed", "tail", "track", "tracks", "trail",
    "trajectory", "reid", "reidentify", "reidentification", "whereabouts", "sighting", "sightings", "passer", "passers",
    "passersby", "search", "searches", "lookup", "similar", "similarity", "history", "nearest", "bystander",
}  # fmt: skip
"""D5: no search of what was, no following of who is."""
ALLOWED = {
    "policy Retention footage_days": "how long recorded video may be kept: 0, and nothing records any (G4)",
}
NOT_INSTALLED = (
    "whisper|speech|audio|sounddevice|soundfile|librosa|vosk|deepface|^fer$|feat|emotion|openalpr|alpr|plate|easyocr"
    "|tesseract|paddleocr|reid|boxmot|fairface|gait|mediapipe"
)


def words(name):
    """`followPerson`, `follow_person`, `/follow-person` -> follow, person."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return set(re.findall(r"[a-z0-9]+", apart.lower()))


def found(names, forbidden=INFERRED | SEARCHED):
    return sorted(name for name in names if words(name) & forbidden and name not in ALLOWED)


def fields(prefix, kind, seen=None):
    """Every field of a struct and of the structs within it: `prefix Struct field`."""
    seen = set() if seen is None else seen
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        return [name for inner in get_args(kind) for name in fields(prefix, inner, seen)]
    if kind in seen:
        return []
    seen.add(kind)
    hints = get_type_hints(kind)
    mine = [f"{prefix} {kind.__name__} {name}" for name in kind.__struct_fields__]
    return mine + [name for hint in hints.values() for name in fields(prefix, hint, seen)]


def commands(command, path="lfr"):
    """`lfr group command --option`, of a whole group."""
    here = [path, *(f"{path} {opt}" for option in command.params for opt in option.opts)]
    below = getattr(command, "commands", {}).items()
    return here + [name for key, sub in below for name in commands(sub, f"{path} {key}")]


def columns():
    """Every column of every table."""
    return [column for table in models.Alert.metadata.tables.values() for column in table.columns]


@pytest.fixture
async def api(tmp_path):
    """The whole application, and its description."""
    async with build_house(tmp_path) as house:
        app = house.app()
        yield app, app.openapi_schema.to_schema()


def test_the_inventory_finds_what_it_looks_for():
    assert found(["/api/v1/follow-person", "alert followed_by", "searchFootage", "getGender"])
    assert not found(["/api/v1/alerts/{alert_id}", "trace_id", "essex", "watchlist-check", "research"])


@pytest.mark.rule("C6", "D5")
async def test_no_route_and_no_field_of_the_api(api):
    app, described = api
    routes = [f"{verb} {way.path}" for way in app.routes if isinstance(way, HTTPRoute) for verb in way.methods]
    queries = [
        f"{path} ?{parameter['name']}"
        for path, item in described["paths"].items()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
    ]
    shapes = [
        f"{name} {key}"
        for name, shape in described["components"]["schemas"].items()
        for key in (*shape.get("properties", {}), *map(str, shape.get("enum", [])))
    ]
    assert len(routes) > 15
    assert len(shapes) > 50
    assert found([*routes, *queries, *shapes]) == []


@pytest.mark.rule("D5")
async def test_a_picture_is_taken_in_only_where_somebody_is_listed_or_a_sign_is_shown(api):
    """No route compares a picture that is given with anything: what takes files enrols, or proves a sign stands."""
    _, described = api
    taking = {
        path
        for path, item in described["paths"].items()
        for operation in item.values()
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
    }
    assert [path for path in taking if not re.search(r"/(watchlist|signs|documents|imports?|decisions?)\b", path)] == []


@pytest.mark.rule("C6", "D5")
def test_no_table_and_no_column():
    names = [f"{column.table.name} {column.name}" for column in columns()]
    assert len(names) > 40
    assert found(names) == []


@pytest.mark.rule("D5")
def test_only_listed_pictures_have_a_template_and_no_table_holds_video():
    held = {one.table.name for one in columns() if re.search("template|embedding|vector|descriptor", one.name)}
    assert held == {"watchlist_image"}
    binary = [one.name for one in columns() if isinstance(one.type, sa.LargeBinary)]
    assert not [name for name in binary if re.search("video|clip|frame|recording|footage", name)]


@pytest.mark.rule("C6", "D5")
def test_no_command_and_no_option():
    names = [name for key in _COMMANDS for name in commands(_load(key), f"lfr {key}")]
    assert len(names) > 60
    assert isinstance(_load("watchlist"), typer.core.TyperGroup)
    assert found(names) == []


@pytest.mark.rule("C6", "D5")
def test_no_kind_of_log_entry_and_no_field_of_one():
    names = [f"{kind} {name}" for kind, payload in KINDS.items() for name in fields(kind, payload)]
    assert len(names) > 40
    assert found(names) == []


@pytest.mark.rule("C6", "D5")
def test_no_setting_and_nothing_that_can_be_planned():
    names = fields("config", config.Config) + fields("policy", policy.Policy) + fields("plan", plan.Plan)
    assert len(names) > 100
    assert found(names) == []
    assert set(ALLOWED) <= set(names)  # an exception that is not needed any more goes


@pytest.mark.rule("C6")
def test_models_find_faces_and_tell_them_apart_and_do_nothing_else():
    detectors = set(get_args(get_type_hints(packs.Detector)["kind"]))
    recognisers = set(get_args(get_type_hints(packs.Recogniser)["kind"]))
    assert detectors == {"scrfd", "yunet", "dlib-hog", "double"}
    assert recognisers == {"arcface", "sface", "dlib-resnet", "double"}
    assert {name for name in vars(FaceEngine) if not name.startswith("_")} == {"contract", "detect", "embed", "close"}


@pytest.mark.rule("C6")
@pytest.mark.parametrize("name", pack_names())
def test_no_pack_names_a_model_of_another_kind(name):
    """InsightFace's packs come with one for gender and age: it is not in ours, so it is never opened."""
    pack = load_pack(name)
    files = [one.file for one in pack_files(pack)]
    assert len(files) - len(pack.extra_files) <= 2
    assert all("landmarks" in extra.file for extra in pack.extra_files)
    assert not [file for file in files if re.search("gender|age|emotion|ethnic|race|gait|voice", file.lower())]


@pytest.mark.rule("C6")
def test_no_dependency_hears_or_reads_plates_or_infers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    optional = project["project"]["optional-dependencies"].values()
    named = [*project["project"]["dependencies"], *(one for extra in optional for one in extra)]
    for lock in ("requirements.lock", "requirements-gpu.lock"):
        named += re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / lock).read_text(), re.MULTILINE)
    names = {re.split(r"[\[<>=~; ]", one)[0].lower() for one in named}
    assert len(names) > 40
    assert sorted(name for name in names if re.search(NOT_INSTALLED, name)) == []


def van(folder, url, pace="live", mode="operational"):
    text = f"name: v\nmode: {mode}\npack: p\ncameras: [{{id: north, url: '{url}', pace: {pace}}}]\n"
    return config.parse(text.encode(), where="van.yaml", base=folder)


RECORDED = [
    ("clip.mp4", "live"), ("clip.mp4", "file"), ("/mnt/cctv/monday.mkv", "live"), ("file:///mnt/monday.mkv", "live"),
    ("cctv/", "file"), ("scene:demo", "live"), ("rtsp://camera/1", "file"), ("ftp://archive/monday.mp4", "live"),
]  # fmt: skip


@pytest.mark.rule("D5")
@pytest.mark.parametrize(("url", "pace"), RECORDED)
def test_in_operations_no_recording_is_a_camera(tmp_path, url, pace):
    from lfr.actors.runtime import require_permitted  # with Ray behind it

    pack = msgspec.structs.replace(load_pack("permissive"), use="operational")
    with pytest.raises(errors.ConfigError, match="no past footage is searched"):
        require_permitted(van(tmp_path, url, pace), pack)
    require_permitted(van(tmp_path, url, pace, "research"), pack)


@pytest.mark.parametrize("url", ["rtsp://camera/1", "RTSPS://camera/1", "http://camera/mjpg", "webcam:0"])
def test_in_operations_a_live_camera_is_one(tmp_path, url):
    config.require_live(van(tmp_path, url))
    assert van(tmp_path, url).cameras[0].url == url
