"""Whatever a preset asks for, on any machine, a page may ask for too."""

from __future__ import annotations

import pytest

from llmrec import guard, registry
from llmrec.runs import presets

MACHINES = [
    presets.Device(2, 8.0, False),
    presets.Device(64, 512.0, True),
    presets.Device(16, 128.0, True, 80.0),
    presets.Device(1, 2.0, False),
]


@pytest.mark.parametrize("scheme", [name for name in registry.names("scheme") if name != "imported"])
@pytest.mark.parametrize("preset", list(presets.PRESETS))
def test_every_preset_passes_the_guard(scheme: str, preset: str) -> None:
    for device in MACHINES:
        for lm in ("nano", "smollm2-135m"):
            made = presets.recipe(scheme, {"name": "ml-100k"}, preset, None, lm, device, 0, None)
            assert guard.allowed(made) == made
            assert guard.recipe_from_text(made.to_toml()) == made
