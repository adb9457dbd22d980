"""`lfr evaluate threshold`: the threshold for a list and a rate, or why there is none that anybody may rely on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lfr.cli.clip_options import Json, PackName
from lfr.cli.output import print_json, print_table
from lfr.domain.errors import ConfigError
from lfr.domain.intervals import one_in


def threshold(
    pack: PackName = "permissive",
    entries: Annotated[int, typer.Option(min=1, help="People on the list.")] = 500,
    target: Annotated[
        float | None,
        typer.Option("--target-fpir", min=1e-9, max=0.5, help="False alerts per transit.", show_default="the pack's"),
    ] = None,
    require: Annotated[bool, typer.Option("--require", help="Fail unless the calibration can show the claim.")] = False,
    json: Json = False,
) -> None:
    """Derive a pack's threshold for a list's size and a false alert rate, with what the calibration can show of it.

    n_max is the longest list that the rate allows at this threshold by the upper 95 % bound of the false match rate,
    from counted errors alone. With --require a claim beyond the evidence is refused, in words.
    """
    from lfr.matching.evidence import evidence_for, fmr_bound, largest_list, require_evidence  # noqa: PLC0415
    from lfr.matching.threshold import derive  # noqa: PLC0415
    from lfr.vision.packs import load_pack  # noqa: PLC0415

    found = load_pack(pack)
    if found.calibration is None:
        raise ConfigError(f"pack {found.name} has no calibration", hint="make one: lfr evaluate calibrate")
    calibration = found.calibration
    rate = target or calibration.target_fpir
    if require:
        require_evidence(calibration, entries, rate)
    derived = derive(calibration, entries, rate)
    evidence = evidence_for(calibration, entries, rate)
    bounded = bool(calibration.upper)
    said: dict[str, Any] = {
        "pack": found.name,
        "entries": entries,
        "target_fpir": rate,
        "threshold": derived.value,
        "low": derived.low,
        "high": derived.high,
        "supported": derived.supported,
        "basis": derived.basis,
        "needed_transits": evidence.needed,
        "transits": evidence.has,
        "evidence": str(evidence),
        "fmr_upper": fmr_bound(calibration, derived.value) if bounded else None,
        "n_max": largest_list(calibration, derived.value, rate) if bounded else None,
    }
    if json:
        print_json(said)
        return
    print_table((f"pack {found.name}", ""), [(name, said[name]) for name in said if name not in {"pack", "evidence"}])
    print(evidence)
    if bounded and said["n_max"] < entries:
        print(f"by counted errors alone {one_in(rate)} holds for at most {said['n_max']:,} entries at this threshold")
