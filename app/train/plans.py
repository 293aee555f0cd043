"""What the form asks: a recipe as text, form and command line at once, its preset, why it is refused, and what it would cost.

Where it stands: under `workshop`. What it does not know: the queue, runs, pages. Every recipe comes in through `llmrec.guard`.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import tomllib
from collections import OrderedDict
from typing import Any

import pandas as pd

from app.seam import Choice, Forecast, Plan, Trouble
from app.train import forms
from llmrec.recipe import SECTIONS, Recipe
from llmrec.registry import UnknownName

REFUSED = (ValueError, FileNotFoundError, UnknownName)
FIRST = {"scheme": "metaid", "data": "ml-100k", "preset": "sketch"}
FOLLOWED = {"scheme.name", "data.name", "lm.name"}  # what a preset depends on
LONGEST = 2000  # signs of one setting
KEPT = 32


def choices() -> tuple[Choice, ...]:
    """The five choices at the top of the form."""
    from llmrec.runs import presets

    about = {
        "sketch": "The whole path in about a minute.",
        "demo": "A model worth talking to, in about ten minutes.",
        "full": "The best that this machine reaches in half an hour, or a GPU in ten minutes.",
    }
    names = {name: about.get(name, "") for name in presets.PRESETS}
    return (*forms.choices(), Choice("preset", "Preset", names, "How long to train: layers, passes and batch for this machine."))


def read(text: str | None = None) -> Plan:
    """A recipe's text as a plan; None: the one to begin with. Raises `Trouble` where it cannot be read, in the words of the recipe."""
    from llmrec import guard

    try:
        if text is None:
            return of(_preset({"scheme": {"name": FIRST["scheme"]}, "data": {"name": FIRST["data"]}}, FIRST["preset"]))
        return of(guard.recipe_from_text(text), text)
    except REFUSED as error:
        raise Trouble(str(error)) from error


def changed(plan: Plan, changes: dict[str, Any]) -> Plan:
    """The plan with settings changed, "preset" among them. A preset that was in force follows the scheme, the data and the model."""
    from llmrec import guard

    preset = changes.get("preset") or (plan.preset if FOLLOWED & set(changes) else "")
    plain = plan.plain
    try:
        plain = forms.changed(plain, {k: _value(plan, k, v) for k, v in changes.items() if k != "preset"})
        return of(_preset(plain, preset) if preset else guard.checked(plain))
    except REFUSED as error:
        return Plan(forms.written(plain), plain, forms.settings(plain), trouble=str(error))


def of(wanted: Recipe, text: str | None = None) -> Plan:
    """A recipe that was read as a plan."""
    plain = wanted.to_dict()
    return Plan(text or wanted.to_toml(), plain, forms.settings(plain), _command(wanted), _equal(wanted), _refusal(wanted), _advice(wanted))


def recipe(plan: Plan) -> Recipe:
    """What a plan asks for, checked again. Raises `Trouble`."""
    from llmrec import guard

    try:
        wanted = guard.recipe_from_text(plan.text)
    except REFUSED as error:
        raise Trouble(str(error)) from error
    refused = _refusal(wanted, read=True)
    if refused:
        raise Trouble(refused)
    preset = _equal(wanted)
    return dataclasses.replace(wanted, name=preset) if preset else wanted


class Forecasts:
    """Estimates, measured one at a time in a thread and kept by the recipe's text: thirty people who ask the same are answered once."""

    def __init__(self) -> None:
        self._lock, self._one = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[str, Forecast] = OrderedDict()

    def get(self, plan: Plan, begin: bool) -> Forecast | None:
        """What is known of this plan's cost; None where nobody asked. begin: ask."""
        key = plan.text
        with self._lock:
            kept = self._kept.get(key)
        if not begin or (kept is not None and kept.state == "measuring"):
            return kept
        wanted = recipe(plan)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.state == "measuring":
                return kept
            self._kept[key] = Forecast("measuring")
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        threading.Thread(target=self._measure, args=(key, wanted), name="estimate", daemon=True).start()
        return Forecast("measuring")

    def _measure(self, key: str, wanted: Recipe) -> None:
        with self._one:
            try:
                found = forecast(wanted)
            except REFUSED as error:
                found = Forecast("failed", trouble=str(error))
            except Exception as error:  # told where it was asked, since a thread has nobody else to tell
                found = Forecast("failed", trouble=f"the estimate failed with a fault of the program: {type(error).__name__}: {error}")
        with self._lock:
            self._kept[key] = found


def forecast(wanted: Recipe) -> Forecast:
    """Measure a little and say what the whole would take."""
    from llmrec.runs import estimate
    from llmrec.runs.estimate.values import size

    found = estimate.ask(wanted)
    low, high = (clock(seconds) for seconds in found.span)
    numbers = (
        ("Time", clock(found.seconds), "All stages and the evaluation, as this machine is now. A training that stops early takes less."),
        ("At least to at most", f"{low} to {high}", "As far as the measured spread tells."),
        ("Memory", size(found.memory_bytes), f"At the highest moment; {size(found.memory_free)} are free."),
        ("Disk", size(found.disk_bytes), f"The run's folder at its fullest and what the stages keep; {size(found.disk_free)} are free."),
    )
    rows = [(s.label, round(s.seconds, 1), round(s.give, 1), s.how) for s in found.stages]
    table = pd.DataFrame(rows, columns=["stage", "seconds", "more or less", "how it is known"])
    return Forecast("done", numbers, table, (found.advice,) if found.advice else ())


def clock(seconds: float) -> str:
    """Seconds as a person says them."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    return f"{whole / 60:.0f} min" if whole < 5400 else f"{whole / 3600:.1f} h"


def _preset(plain: dict[str, Any], preset: str) -> Recipe:
    """The recipe with a preset's model and training; all that a preset does not set stays."""
    from llmrec import guard

    lm = str(plain.get("lm", {}).get("name", "nano"))
    made = _made({**{k: v for k, v in plain.items() if k != "train"}, "lm": {"name": lm}}, preset, read=True)
    assert made is not None
    filled = made.to_dict()
    ours: dict[str, Any] = {section: filled[section] for section in ("head", "embed") if section in filled and section not in plain}
    return guard.checked({**plain, **ours, "lm": filled.get("lm", {}), "train": filled["train"]})


def _made(plain: dict[str, Any], preset: str, read: bool = False) -> Recipe | None:
    """A preset's recipe for the same scheme, head, model and data. read: whether data of unknown size may be read for it; else None."""
    from llmrec import guard
    from llmrec.runs import presets, stages

    wanted = guard.checked(plain)
    section = wanted.to_dict()["data"]
    head = _named(wanted, "head") if "head" in plain else None
    known = set(section) <= {"name"} and section.get("name") in presets.KNOWN
    size = None
    if not known:
        if not read and "data" not in set(stages.cached(wanted)):
            return None
        size = _size(wanted)
    return presets.recipe(_named(wanted, "scheme"), section, preset, head, wanted.lm.name, _device(), wanted.seed, size)


@functools.cache
def _device() -> Any:
    from llmrec.runs import presets

    return presets.device()


def _size(wanted: Recipe) -> tuple[int, int, int]:
    """How large the data is, read once."""
    from llmrec.runs import stages

    key = stages.keys(wanted)["data"]
    if key not in _sizes:
        taken = stages.dataset(wanted).interactions
        if len(_sizes) >= KEPT:
            _sizes.clear()
        _sizes[key] = (taken.n_users, taken.n_items, len(taken))
    return _sizes[key]


_sizes: dict[str, tuple[int, int, int]] = {}


def _equal(wanted: Recipe) -> str:
    """The preset that this recipe trains like, or ""."""
    from llmrec.runs import presets

    plain = {k: v for k, v in wanted.to_dict().items() if k != "train"}
    for name in presets.PRESETS:
        try:
            made = _made(plain, name)
        except REFUSED:
            return ""
        if made is not None and (made.lm, made.train) == (wanted.lm, wanted.train):
            return name
    return ""


def _refusal(wanted: Recipe, read: bool = False) -> str:
    """Why the head cannot rank the names. read: whether data that nobody read yet may be read for it."""
    from llmrec.runs import legal

    try:
        legal.check(wanted, read)
    except REFUSED as error:
        return str(error)
    return ""


def _advice(wanted: Recipe) -> str:
    """What one would want to know before choosing otherwise."""
    from llmrec.runs import presets

    scheme, head = _named(wanted, "scheme"), _named(wanted, "head")
    papers = presets.PAPERS.get(scheme, head)
    return "" if papers == head else f"The paper of {scheme} pairs it with the head {papers}; any other is an experiment of your own."


def _command(wanted: Recipe) -> str:
    from llmrec.commands import settings

    return settings.command_line(wanted)


def _named(wanted: Recipe, section: str) -> str:
    from llmrec import registry

    return registry.name_of(str(SECTIONS[section]), getattr(wanted, section))


def _value(plan: Plan, where: str, value: Any) -> Any:
    """A control's value as the recipe takes it: settings without a control of their own are written as TOML."""
    setting = next((s for s in plan.settings if s.where == where), None)
    if setting is None or setting.kind != "toml" or not isinstance(value, str):
        return value
    if len(value) > LONGEST:
        raise ValueError(f"{where} is {len(value):,} signs long: {LONGEST:,} are the most")
    try:
        plain = tomllib.loads(f"x = {value}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} = {value!r} is not a value as TOML writes it, such as {setting.default}: {error}") from None
    if set(plain) != {"x"}:
        raise ValueError(f"{where} = {value!r} must be one value, such as {setting.default}")
    return plain["x"]
