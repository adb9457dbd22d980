"""`lfr simulate`: a clip of people who walk past a camera, from any folder of face pictures, with its truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from lfr import log
from lfr.cli.output import print_json, print_table, progress_on_stderr
from lfr.domain.errors import ConfigError
from lfr.evaluation.simulation.settings import MAX_POSE, Range, Settings, Way, checked

if TYPE_CHECKING:
    from lfr.evaluation.simulation.cast import Cast
    from lfr.evaluation.simulation.clip import Written

app = typer.Typer()

_LIKE = Settings()


@app.command()
def simulate(
    faces: Annotated[
        Path, typer.Argument(help="Pictures: a folder for each person, or one picture for each.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="The clip, .mp4; its truth goes beside it, .json.", show_default=False)],
    people: Annotated[
        int | None, typer.Option(min=1, help="How many walk past, each once.", show_default=str(_LIKE.people))
    ] = None,
    density: Annotated[
        float | None,
        typer.Option(min=0.01, help="Instead of --people: so many are there at once, on average.", show_default=False),
    ] = None,
    listed: Annotated[
        int | None,
        typer.Option(min=0, help="How many of them are on the watchlist.", show_default="half of them"),
    ] = None,
    watchlist_size: Annotated[
        int | None,
        typer.Option(min=0, help="Entries; those who do not walk never appear.", show_default="as many as --listed"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.2, max=3600, help="Length of the clip.")] = _LIKE.seconds,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same clip.")] = _LIKE.seed,
    way: Annotated[Way, typer.Option(help="How they walk past the camera.")] = _LIKE.way,
    face_px: Annotated[
        str | None, typer.Option(metavar="LOW:HIGH", help="Widths of faces, pixels.", show_default="24:110")
    ] = None,
    distance: Annotated[
        str | None,
        typer.Option(
            metavar="NEAR:FAR",
            help="Instead of --face-px: metres; at --size 1280x720 a face one metre away is 400 pixels wide.",
            show_default=False,
        ),
    ] = None,
    speed: Annotated[str, typer.Option(metavar="LOW:HIGH", help="Metres a second.")] = "1.0:1.6",
    pose: Annotated[float, typer.Option(min=0, max=MAX_POSE, help="How far heads turn, degrees.")] = _LIKE.pose,
    motion_blur: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a frame's time in which the shutter is open.")
    ] = _LIKE.shutter,
    defocus: Annotated[float, typer.Option(min=0, max=20, help="Blur of the lens: sigma, pixels.")] = _LIKE.defocus,
    light: Annotated[
        str, typer.Option(metavar="LOW:HIGH", help="Brightness, 1 = as the pictures are; it wanders between the two.")
    ] = "0.93:1.07",
    noise: Annotated[float, typer.Option(min=0, max=60, help="Of the sensor: sigma, grey levels.")] = _LIKE.noise,
    compression: Annotated[
        int, typer.Option(min=0, max=100, help="JPEG quality each frame goes through; 0 = not at all.")
    ] = _LIKE.quality,
    occlusion: Annotated[
        float, typer.Option(min=0, max=1, help="Share of people with a scarf, a cap or dark glasses.")
    ] = _LIKE.occluded,
    size: Annotated[str, typer.Option(metavar="WxH", help="Pixels.")] = f"{_LIKE.width}x{_LIKE.height}",
    fps: Annotated[float, typer.Option(min=1, max=60, help="Frames a second.")] = _LIKE.fps,
    same_picture: Annotated[
        bool, typer.Option("--same-picture", help="Show the listed picture where a person has no other: proves less.")
    ] = False,
    pack: Annotated[
        str, typer.Option("--pack", help="Whose detector finds the faces to cut out; nothing else is asked of it.")
    ] = "permissive",
    json: Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")] = False,
) -> None:
    """Make a clip of people who walk past a camera, and the truth of it, from a folder of face pictures.

    lfr evaluate clip CLIP.mp4 --truth CLIP.json --faces FACES scores the system on it. Heads are cut-out photographs on
    drawn bodies: rates compare systems and settings with each other, they are no field rates. The clip shows the people
    of the folder, so it is under the same terms as their pictures.
    """
    from lfr.evaluation.simulation.clip import require_place  # noqa: PLC0415 - OpenCV is heavy

    log.configure("WARNING")
    width, height = _size(size)
    settings = Settings(
        seconds=seconds,
        fps=fps,
        width=width,
        height=height,
        seed=seed,
        way=way,
        face_px=_face_px(face_px, distance, width),
        speed=_range("speed", speed),
        shutter=motion_blur,
        defocus=defocus,
        light=_range("light", light),
        noise=noise,
        quality=compression,
        occluded=occlusion,
        pose=pose,
        same_picture=same_picture,
    )
    settings = _numbers(settings, people, density, listed, watchlist_size)
    require_place(out)
    cast, written = _make(faces, out, settings, pack)
    said = _said(settings, cast, written)
    if json:
        print_json(said)
    else:
        print_table(("simulated", ""), list(said.items()))


def _numbers(
    settings: Settings, people: int | None, density: float | None, listed: int | None, entries: int | None
) -> Settings:
    from lfr.evaluation.simulation.plan import people_for  # noqa: PLC0415

    if people is not None and density is not None:
        raise ConfigError("--people and --density say the same thing", hint="give one of them")
    if density is not None:
        people = people_for(checked(msgspec.structs.replace(settings, listed=0, watchlist_size=0)), density)
    people = settings.people if people is None else people
    listed = people // 2 if listed is None else listed
    entries = listed if entries is None else entries
    return checked(msgspec.structs.replace(settings, people=people, listed=listed, watchlist_size=entries))


def _make(faces: Path, out: Path, settings: Settings, pack: str) -> tuple[Cast, Written]:
    from lfr.evaluation.simulation.cast import choose_cast  # noqa: PLC0415 - heavy
    from lfr.evaluation.simulation.clip import write_clip  # noqa: PLC0415
    from lfr.evaluation.simulation.people import people_in  # noqa: PLC0415
    from lfr.evaluation.simulation.plan import draw_plan  # noqa: PLC0415
    from lfr.vision.engine import open_engine  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    people_in(faces)  # a wrong folder is told before a model is loaded
    engine = open_engine(locate(load_pack(pack), default_roots()), threads=2)
    with progress_on_stderr() as progress:
        try:
            cast = choose_cast(faces, settings, engine, lambda done, total: progress("people", done, total))
        finally:
            engine.close()
        return cast, write_clip(out, draw_plan(settings), cast, lambda done, total: progress("frames", done, total))


def _said(settings: Settings, cast: Cast, written: Written) -> dict[str, Any]:
    tracks = written.truth.tracks
    return {
        "clip": str(written.clip),
        "truth": str(written.truth_file),
        "frames": written.truth.frames,
        "seconds": settings.seconds,
        "tracks": len(tracks),
        "listed_tracks": len(written.truth.listed),
        "watchlist": len(written.truth.watchlist),
        "boxes": sum(len(track.boxes) for track in tracks),
        "pictures_without_face": cast.faceless,
        "wall_s": round(written.seconds, 2),
        "times_real_time": round(settings.frames / settings.fps / written.seconds, 2),
    }


def _range(name: str, text: str) -> Range:
    """LOW:HIGH, or one number for both."""
    low, _, high = text.partition(":")
    try:
        return float(low), float(high or low)
    except ValueError as error:
        raise ConfigError(f"--{name} {text!r} is no range", hint="give LOW:HIGH, as in 0.8:1.2") from error


def _face_px(face_px: str | None, distance: str | None, width: int) -> Range:
    from lfr.evaluation.simulation.path import px_at_1m  # noqa: PLC0415

    if distance is None:
        return _range("face-px", face_px) if face_px is not None else _LIKE.face_px
    if face_px is not None:
        raise ConfigError("--face-px and --distance say the same thing", hint="give one of them")
    near, far = _range("distance", distance)
    if near <= 0 or far <= 0:
        raise ConfigError(f"--distance {distance}: nobody walks there", hint="metres, as in 4:16")
    return px_at_1m(width) / far, px_at_1m(width) / near


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if found is None:
        raise ConfigError(f"--size {text!r} is no size", hint="give WxH, as in 1280x720")
    return int(found[1]), int(found[2])
