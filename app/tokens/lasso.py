"""What a person did on a map: clicked a point, or drew an area around some; and an area as the address writes it.

Where it stands: between the chart's own event and the Tokens page. What it does not know: Streamlit, runs.
A chart sends every point inside an area back, one by one and only those that are drawn: they are left unread, the outline alone counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.seam.maps import Area

DECIMALS = 3
MOST = 400  # corners that an address may have


@dataclass(frozen=True)
class Done:
    """One reading of a chart. point: (side, number) as `customdata` has it; both empty: nothing is chosen."""

    point: tuple[str, int] | None = None
    areas: tuple[Area, ...] = ()


def read(event: Any) -> Done:
    """What a chart's event says. An area outweighs the points inside it; corners are rounded as the address will have them."""
    chosen = event.get("selection") if isinstance(event, Mapping) else None
    if not isinstance(chosen, Mapping):
        return Done()
    areas = [_area(kind, drawn) for kind in ("lasso", "box") for drawn in chosen.get(kind) or ()]
    whole = tuple(area for area in areas if area is not None)
    if whole:
        return Done(None, whole)
    for point in chosen.get("points") or ():
        data = point.get("customdata")
        if isinstance(data, Sequence) and len(data) >= 2 and data[0] in ("item", "user"):
            return Done((str(data[0]), int(data[1])))
    return Done()


def _area(kind: str, drawn: Mapping[str, Any]) -> Area | None:
    x, y = ([round(float(v), DECIMALS) for v in drawn.get(axis) or ()] for axis in ("x", "y"))
    return _whole("box" if kind == "box" else "lasso", x, y)


def _whole(kind: str, x: Sequence[float], y: Sequence[float]) -> Area | None:
    enough = len(x) == 2 if kind == "box" else 3 <= len(x) <= MOST
    if not enough or len(x) != len(y) or not all(map(math.isfinite, (*x, *y))):
        return None
    return Area("box" if kind == "box" else "lasso", tuple(x), tuple(y))


def to_address(how: str, areas: Sequence[Area]) -> str | None:
    """Areas on the map of this method in one short text, or None where there are none: `umap~box~1,2~3,4.5`."""
    if not areas:
        return None
    return "~".join([how.lower(), *(f"{a.kind}~{_numbers(a.x)}~{_numbers(a.y)}" for a in areas)])


def from_address(written: str | None, how: str) -> tuple[Area, ...]:
    """The areas of such a text; none where it is about another method's map, or is not such a text."""
    head, *rest = (written or "").split("~")
    if head != how.lower() or len(rest) % 3:
        return ()
    found = []
    for kind, x, y in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        try:
            area = _whole(kind, [float(v) for v in x.split(",")], [float(v) for v in y.split(",")])
        except ValueError:
            return ()
        if area is not None and kind in ("box", "lasso"):
            found.append(area)
    return tuple(found)


def _numbers(values: Sequence[float]) -> str:
    return ",".join(f"{v:g}" for v in values)
