"""`lfr evaluate attack`: how well a pack's check tells photographs and screens from faces (D7)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from lfr import log
from lfr.cli.clip_options import Json
from lfr.cli.output import print_json, print_table, progress_on_stderr


def attack(
    faces: Annotated[
        Path, typer.Argument(help="Pictures, a folder for each person or one picture for each.", show_default=False)
    ],
    pack: Annotated[
        str, typer.Option("--pack", help="A pack with a slot `presentation_attack`; its detector finds the faces.")
    ] = "research",
    people: Annotated[
        int, typer.Option(min=2, help="How many stand before the camera, in the flesh and with each instrument.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Chooses people and how they stand.")] = 1,
    json: Json = False,
) -> None:
    """Measure a pack's check for presentation attacks on printed and replayed faces that the simulator makes.

    APCER (attacks taken for faces) of each instrument and BPCER (faces taken for attacks) with exact 95 % intervals, as
    ISO/IEC 30107-3 has them, and whether the slot passes its own floor. Prints the record that goes into the pack file;
    a slot whose record is below its floor cannot be enabled. The exit code is 0 whatever came of it.
    """
    from lfr.evaluation.attack.measure import measure, record_of, table, trade_off  # noqa: PLC0415 - heavy
    from lfr.evaluation.simulation.people import people_in  # noqa: PLC0415
    from lfr.vision.attack import measuring_attack_check  # noqa: PLC0415
    from lfr.vision.engine import open_engine  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    log.configure("WARNING")
    people_in(faces)  # a wrong folder is told before a model is loaded
    located = locate(load_pack(pack), default_roots())
    check = measuring_attack_check(located.pack, default_roots())
    engine = open_engine(located, threads=2)
    slot = located.pack.presentation_attack
    assert slot is not None  # measuring_attack_check refused otherwise
    try:
        with progress_on_stderr() as progress:
            measured = measure(
                engine, check, faces, people=people, seed=seed, progress=lambda a, b: progress("people", a, b)
            )
    finally:
        engine.close()
        check.close()
    method = f"simulated walkers, prints, paper masks, telephones and tablets of {people} people, seed {seed}"
    record = record_of(measured, slot, method)
    verdict = msgspec.structs.replace(slot, measured=record).shortfall
    said = {
        "pack": located.pack.name,
        "threshold": slot.threshold,
        "floor": msgspec.to_builtins(slot.floor),
        "species": table(measured, slot.threshold),
        "trade_off": trade_off(measured),
        "measured": msgspec.to_builtins(record),
        "passes": not verdict,
        "shortfall": verdict,
    }
    if json:
        print_json(said)
    else:
        _show(said)


def _show(said: dict[str, Any]) -> None:
    columns = ("species", "error", "presentations", "non_response", "wrong", "rate", "low", "high")
    print_table(columns, [[row[column] for column in columns] for row in said["species"]])
    print_table(("threshold", "APCER, worst", "BPCER"), said["trade_off"])
    verdict = "passes its floor" if said["passes"] else f"does not pass its floor: {said['shortfall']}"
    typer.echo(f"at threshold {said['threshold']:g} the check {verdict}")
    typer.echo("\n# for the slot in the pack file")
    sys.stdout.write(msgspec.yaml.encode({"measured": said["measured"]}).decode())
