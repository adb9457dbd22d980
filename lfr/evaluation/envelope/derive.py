"""From how many were found at each level to the limits of what is certified (C5). Pure rules.

A level passes where the lower end of TPIR's exact 95 % interval is at or above the floor. A condition is certified from
its usual level outwards, as far as every level passes: what lies beyond a failed level was not shown, even where a
later one passes. A limit is what the camera measured at the last level that passed, not what was set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lfr.domain.envelope import Envelope
from lfr.domain.errors import SourceError
from lfr.domain.intervals import Interval, clopper_pearson
from lfr.evaluation.envelope.levels import USUAL, AxisName
from lfr.evaluation.envelope.transits import Outcome


@dataclass(frozen=True, slots=True)
class Level:
    """One level of one condition and what came of it."""

    at: float
    outcome: Outcome

    @property
    def tpir(self) -> float:
        """Share of transits of listed people with an alert for the right entry."""
        return self.outcome.found / self.outcome.transits

    @property
    def interval(self) -> Interval:
        """Exact 95 % interval of it."""
        return clopper_pearson(self.outcome.found, self.outcome.transits)


Levels = Mapping[AxisName, Sequence[Level]]


def certified(levels: Sequence[Level], usual: float, floor: float) -> list[Level]:
    """The levels around the usual one that pass without a gap; none where the usual one itself fails."""
    middle = next(index for index, level in enumerate(levels) if level.at == usual)
    passes = [level.interval[0] >= floor for level in levels]
    if not passes[middle]:
        return []
    first = last = middle
    while first > 0 and passes[first - 1]:
        first -= 1
    while last < len(levels) - 1 and passes[last + 1]:
        last += 1
    return list(levels[first : last + 1])


def derive(levels: Levels, floor: float) -> Envelope:
    """The envelope. Raises SourceError where the usual conditions themselves do not reach the floor."""
    passed: dict[AxisName, list[Level]] = {}
    for axis, measured in levels.items():
        usual = getattr(USUAL, axis)
        passed[axis] = certified(measured, usual, floor)
        if not passed[axis]:
            level = next(one for one in measured if one.at == usual)
            low, _ = level.interval
            raise SourceError(
                f"no envelope: in usual conditions {level.outcome.found} of {level.outcome.transits} were found, at "
                f"least {low:.3f} with 95 % confidence; the floor is {floor:g}",
                hint="more transits narrow the interval; a weaker claim needs a lower --floor",
            )
    lights = passed["light"]
    everything = [level for levels in passed.values() for level in levels]
    return Envelope(
        min_face_px=min(_all(passed["face_px"], "face_px")),
        max_yaw=max(_all(passed["yaw"], "yaw")),
        # A face may lack detail by its size as well as by a blur: what passed under any condition is in evidence.
        min_sharpness=min(_all(everything, "sharpness")),
        min_detail=min(_all(everything, "detail")),
        min_luma=min(_all(lights, "luma")),
        max_luma=max(_all(lights, "luma")),
        max_dark_share=max(_all(lights, "dark")),
        max_bright_share=max(_all(lights, "bright")),
    )


def _all(levels: Sequence[Level], name: str) -> list[float]:
    return [value for level in levels if (value := level.outcome.measured[name]) is not None]
