"""The controls of the panel, from the top of the page to its foot, and how values of its parts become updates of them.

Where it stands: under the panel. What it does not know: what a control does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.chat.drawing import IDEAS, NEW, hello
from app.chat.stage import BAD, LETTERS, MOST, TIE, Room, Seat

TEXTS = ("past", "bubble", "notice", "strip", "hello", "curtain")  # of HTML, gone where they are empty
WAITING = hello("One moment: the models are looked up.")
ON_LOAD = "llmrecPanel.completing(element, server)"


@dataclass
class Controls:
    """What was built, by name; the letters' order is that of the sides."""

    named: dict[str, Any] = field(default_factory=dict)
    ideas: list[gr.Button] = field(default_factory=list)
    votes: dict[str, gr.Button] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["named"][name]
        except KeyError:
            raise AttributeError(name) from None

    def several(self, name: str) -> list[Any]:
        """One part of every side."""
        return [self.named[f"{name}{n}"] for n in range(MOST)]

    @property
    def seats(self) -> list[Any]:
        return self.several("seat")

    @property
    def pickers(self) -> list[Any]:
        return self.several("picker")

    @property
    def drops(self) -> list[Any]:
        return self.several("drop")

    @property
    def lives(self) -> list[Any]:
        return self.several("live")

    @property
    def stops(self) -> list[Any]:
        return self.several("stop")

    @property
    def all(self) -> list[Any]:
        """Whatever an act may change."""
        kept = ("k", "raw", "copy", "carried", "yes", "no", "stop_all", "more", "why", "over", "saved")
        return (
            [c for n, c in self.named.items() if n not in kept and not n.startswith(("stop", "save_"))]
            + self.ideas
            + list(self.votes.values())
        )

    def updates(self, parts: dict[str, Any]) -> dict[Any, Any]:
        """The values of some parts as updates of their controls."""
        made: dict[Any, Any] = {}
        for name, value in parts.items():
            if name == "ideas":
                made |= {b: gr.update(value=t, visible=bool(t)) for b, t in zip(self.ideas, value, strict=True)}
            elif name == "choices":
                made |= self._choices(value)
            elif name == "models":
                made |= {p: gr.update(choices=value, **_given(parts, f"picker{n}")) for n, p in enumerate(self.pickers)}
            elif name == "people":
                made[self.who] = gr.update(choices=value[0], allow_custom_value=value[1], **_given(parts, "who"))
            elif name == "titles":
                made[self.picks] = gr.update(choices=value, **_given(parts, "picks"))
            else:
                made.setdefault(self.named[name], self._update(name, value))
        return made

    def _choices(self, count: int) -> dict[Any, Any]:
        shown = (*LETTERS[:count], TIE, BAD)
        bad = "Both bad" if count <= 2 else "All bad"
        return {
            button: gr.update(visible=choice in shown, **({"value": bad} if choice == BAD else {})) for choice, button in self.votes.items()
        }

    @staticmethod
    def _update(name: str, value: Any) -> Any:
        if name in TEXTS:
            return gr.update(value=value, visible=bool(value))
        if name in ("room", "box", "who", "picks", "blind", "at", "tally") or name.startswith(("seat", "picker", "live", "label")):
            return gr.update(value=value) if not isinstance(value, (Room, Seat)) else value
        return gr.update(visible=bool(value))


def _given(parts: dict[str, Any], name: str) -> dict[str, Any]:
    return {"value": parts[name]} if name in parts else {}


def build(complete: Callable[[str, str], list[dict[str, str]]]) -> Controls:
    """All of them. complete: a model's key and a begun title, to titles; the browser calls it while somebody types."""
    made = Controls()
    put = made.named
    put["room"] = gr.State(Room())
    put |= {f"seat{n}": gr.State(Seat()) for n in range(MOST)}
    with gr.Column(elem_id="set-up"):
        _who(put)
        _sides(put)
    put["hello"] = gr.HTML(WAITING, elem_id="hello")
    put["past"] = gr.HTML(elem_id="past", visible=False)
    put["bubble"] = gr.HTML(elem_id="bubble", visible=False)
    _stage(put)
    with gr.Column(elem_id="composer"):
        put["notice"] = gr.HTML(elem_id="notice", visible=False)
        with gr.Row(visible=False, elem_id="confirm") as put["confirm"]:
            put["yes"] = gr.Button("Begin the new talk", variant="primary", size="sm", elem_id="begin-anew")
            put["no"] = gr.Button("Keep this one", size="sm", elem_id="keep")
        _voting(made)
        _composer(made, complete)
    return made


def _who(put: dict[str, Any]) -> None:
    with gr.Row(elem_id="top"):
        put["who"] = gr.Dropdown([NEW], value=NEW, label="Who speaks", filterable=True, elem_id="who", scale=0, min_width=220)
        with gr.Column(visible=False, elem_id="pick", scale=1, min_width=220) as put["pick"]:
            put["picks"] = gr.Dropdown([], value=[], multiselect=True, label="Titles you like", filterable=True, elem_id="picks")
        put["strip"] = gr.HTML(elem_id="strip", visible=False)
        with gr.Row(elem_id="switches"):
            put["blind"] = gr.Checkbox(False, label="Blind", elem_id="blind", container=False, min_width=60)
            put["raw"] = gr.Checkbox(False, label="Raw", elem_id="raw", container=False, min_width=60)
            put["copy"] = gr.Button("Copy link", size="sm", elem_id="copy-link", min_width=90)
            put["carried"] = gr.Textbox(visible=False)


def _sides(put: dict[str, Any]) -> None:
    with gr.Row(elem_id="sides"):
        for n, letter in enumerate(LETTERS):
            with gr.Row(visible=False, elem_id=f"side-{letter}", elem_classes="side") as put[f"side{n}"]:
                put[f"picker{n}"] = gr.Dropdown(
                    [], label=f"Side {letter}", filterable=True, elem_id=f"picker-{letter}", elem_classes="picker", min_width=120
                )
                put[f"drop{n}"] = gr.Button(
                    f"Remove {letter}", elem_classes="drop", elem_id=f"remove-{letter}", size="sm", min_width=28, visible=False
                )
        put["curtain"] = gr.HTML(elem_id="curtain", visible=False)
        put["add"] = gr.Button("+ Add a side", size="sm", elem_id="add", min_width=110, visible=False)


def _stage(put: dict[str, Any]) -> None:
    """The present answers: each column its name, its words, its stop."""
    with gr.Row(elem_id="stage"):
        for n, letter in enumerate(LETTERS):
            with gr.Column(visible=False, elem_id=f"column-{letter}", elem_classes="side-column", min_width=240) as put[f"column{n}"]:
                put[f"label{n}"] = gr.HTML(elem_classes="label")
                put[f"live{n}"] = gr.HTML(elem_id=f"live-{letter}", elem_classes="live")
                put[f"stop{n}"] = gr.Button(f"Stop {letter}", size="sm", elem_classes="stop", elem_id=f"stop-{letter}")


def _voting(made: Controls) -> None:
    with gr.Row(visible=False, elem_id="voting") as made.named["voting"]:
        gr.HTML("<span>Which answer is better?</span>", elem_id="asked")
        for choice, label in (*((letter, letter) for letter in LETTERS), (TIE, "Tie"), (BAD, "Both bad")):
            made.votes[choice] = gr.Button(label, size="sm", elem_id=f"vote-{choice}", elem_classes="vote", min_width=44)


def _composer(made: Controls, complete: Callable[[str, str], list[dict[str, str]]]) -> None:
    put = made.named

    def completions(asked: list[str]) -> list[dict[str, str]]:
        """What the list under the caret shows. asked: a model's key, and what was typed."""
        return complete(str(asked[0]), str(asked[1]))

    with gr.Row(elem_id="ideas"):
        with gr.Row(visible=False, elem_id="follow") as put["follow"]:
            put["more"] = gr.Button("Something else", size="sm", elem_id="more", elem_classes="idea follow", min_width=60)
            put["why"] = gr.Button("Why the first one?", size="sm", elem_id="why", elem_classes="idea follow", min_width=60)
        made.ideas += [gr.Button("", size="sm", visible=False, elem_classes="idea", min_width=60) for _ in range(IDEAS)]
    put["box"] = gr.Textbox(
        placeholder="Say what you like, or ask. @ finds titles.",
        show_label=False,
        label="Message to all sides",
        submit_btn="Send",
        lines=1,
        max_lines=5,
        max_length=20_000,
        autofocus=False,
        elem_id="message",
    )
    with gr.Row(elem_id="foot"):
        put["over"] = gr.Button("Start over", size="sm", elem_id="over", min_width=80)
        put["stop_all"] = gr.Button("Stop all", size="sm", elem_id="stop-all", min_width=80)
        with gr.Accordion("Votes, downloads, items per answer", open=False, elem_id="more-below"):
            with gr.Row(elem_id="files"):
                put["save_votes"] = gr.Button("Votes (JSONL)", size="sm", elem_id="save-votes", min_width=60)
                put["save_json"] = gr.Button("Talk (JSON)", size="sm", elem_id="save-json", min_width=60)
                put["save_markdown"] = gr.Button("Talk (Markdown)", size="sm", elem_id="save-markdown", min_width=60)
                put["saved"] = gr.JSON(visible=False)
            put["k"] = gr.Slider(1, 10, value=5, step=1, label="Items per answer", elem_id="how-many", buttons=[])
            put["tally"] = gr.HTML(elem_id="tally")
    put["at"] = gr.HTML("", elem_id="at", server_functions=[completions], js_on_load=ON_LOAD)
