"""The chat as a Gradio panel: who speaks, the messages, the stop button.

Where it stands: at /chat, and inside the studio's Chat page. What it does not know: what a message means; `dialogue` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app import chips, dialogue
from app.seam import BackendLike, Trouble

NEW = "a new person"
SHARED = {"concurrency_id": "talk", "concurrency_limit": 4}
Messages = list[dict[str, Any]]


def build(backend: Callable[[], BackendLike]) -> gr.Blocks:
    """The panel over a backend, which is asked for only when somebody comes."""
    with gr.Blocks(title="llmrec chat", fill_height=True, fill_width=True, analytics_enabled=False) as panel:
        run, talk = gr.State(None), gr.State(dialogue.Talk())
        with gr.Row(equal_height=True):
            who = gr.Dropdown(
                [NEW],
                value=NEW,
                label="Who speaks",
                info="A user of the data brings a history; a new person names titles.",
                filterable=True,
                scale=2,
                elem_id="who",
            )
            k = gr.Slider(
                1, 10, value=5, step=1, label="Items per answer", info="How many the model names at a time.", scale=1, elem_id="how-many"
            )
        bot, box = _messages()
        with gr.Row():
            ideas = [gr.Button("", size="sm", visible=False, elem_classes="idea") for _ in range(2)]
            more = gr.Button("Something else", size="sm", elem_id="more")
            over = gr.Button("Start over", size="sm", elem_id="over")

        def respond(message: str, history: Messages, run: str | None, talk: dialogue.Talk, k: float) -> Iterator[tuple[Any, ...]]:
            yield from stream(backend(), message, history, run, talk, int(k))

        outputs = [box, bot, talk]
        inputs = [box, bot, run, talk, k]
        going = [box.submit(respond, inputs, outputs, api_name="chat", **SHARED)]
        for button in (*ideas, more):
            going.append(button.click(respond, [button, bot, run, talk, k], outputs, api_visibility="private", **SHARED))
        box.stop(stopped, [bot], [box, bot], cancels=going, api_visibility="private", queue=False)
        over.click(lambda t: ([], dialogue.Talk(user=t.user)), [talk], [bot, talk], cancels=going, api_visibility="private")
        who.input(lambda key, name: ([], speaker(backend(), name, key)), [who, run], [bot, talk], cancels=going, api_visibility="private")
        panel.load(_opener(backend), None, [run, who, talk, *ideas], api_visibility="private")
        gr.api(_asker(backend), api_name="ask", **SHARED)
    panel.queue(max_size=64)
    return panel


def _messages() -> tuple[gr.Chatbot, gr.Textbox]:
    """What was said, and where to say more."""
    bot = gr.Chatbot(
        show_label=False,
        elem_id="talk",
        height=350,
        scale=1,
        allow_tags=True,
        feedback_options=None,
        buttons=["copy"],
        layout="bubble",
        autoscroll=True,
        placeholder='<p class="lm-hello">Which titles did you like?</p>',
    )
    box = gr.Textbox(
        placeholder="I liked …, what next?",
        show_label=False,
        label="Message",
        submit_btn="Send",
        stop_btn=False,
        lines=1,
        max_lines=4,
        max_length=20_000,
        autofocus=False,
        elem_id="message",
    )
    return bot, box


def stream(
    backend: BackendLike, message: str, history: Messages, run: str | None, talk: dialogue.Talk, k: int
) -> Iterator[tuple[Any, ...]]:
    """The message box, the messages and the memory, again and again while the answer grows."""
    busy, free = gr.update(value="", submit_btn=False, stop_btn=True), gr.update(value="", submit_btn="Send", stop_btn=False)
    shown = " ".join(message.split())
    shown = chips.text(shown[:600] + (" …" if len(shown) > 600 else "")) or "…"
    history = [*history, {"role": "user", "content": shown}]
    yield busy, history, talk
    if run is None:
        yield free, [*history, _said("<p>There is no trained run yet; come back when the first one is ready.</p>")], talk
        return
    grown = None
    for grown in dialogue.reply(backend, run, talk, message, k):
        yield busy, [*history, _said(grown.html)], grown.talk
    if grown is not None:
        yield free, [*history, _said(grown.html)], grown.talk


def _said(html: str) -> dict[str, Any]:
    return {"role": "assistant", "content": f'<div class="lm-say">{html}</div>'}


def stopped(history: Messages) -> tuple[Any, Messages]:
    """Say that the answer was cut short."""
    return gr.update(submit_btn="Send", stop_btn=False), [*history, _said('<p class="quiet">Stopped. What is above stays; ask on.</p>')]


def speaker(backend: BackendLike, run: str | None, key: str) -> dialogue.Talk:
    """A fresh memory for whoever speaks now."""
    index = backend.index(run, "user", key) if run is not None and key != NEW else None
    return dialogue.Talk(user=-1 if index is None else index)


def opened(backend: BackendLike, params: dict[str, str]) -> tuple[Any, ...]:
    """The panel as its address asks for it: ?run= and ?user=."""
    ready = [r.name for r in backend.runs() if r.ready]
    run = params.get("run") if params.get("run") in ready else (ready[0] if ready else None)
    if run is None:
        return None, gr.update(), dialogue.Talk(), gr.update(), gr.update()
    try:
        keys = backend.user_keys(run)
        ideas = [gr.update(value=text, visible=True) for text in dialogue.examples(backend, run)[:2]]
    except Trouble:
        return None, gr.update(), dialogue.Talk(), gr.update(), gr.update()
    key = params.get("user", NEW) if params.get("user") in keys else NEW
    ideas += [gr.update()] * (2 - len(ideas))
    return run, gr.update(choices=[NEW, *((f"user {u}", u) for u in keys)], value=key), speaker(backend, run, key), *ideas


def _opener(backend: Callable[[], BackendLike]) -> Callable[..., tuple[Any, ...]]:
    def load(request: gr.Request) -> tuple[Any, ...]:
        return opened(backend(), dict(request.query_params))

    return load


def _asker(backend: Callable[[], BackendLike]) -> Callable[..., dict[str, Any]]:
    def ask(message: str, run: str = "", user: str = "", k: int = 5) -> dict[str, Any]:
        """One message, one answer, nothing remembered. Gives {"run", "items": [{"rank", "key", "title", "pieces"}], "html"}."""
        here = backend()
        name, _, talk, *_ = opened(here, {"run": run, "user": user})
        if name is None:
            return {"run": None, "items": [], "html": "There is no trained run yet."}
        last = [dialogue.Reply("", talk), *dialogue.reply(here, name, talk, message, min(max(int(k), 1), 50), pause=0)][-1]
        cards = [here.card(name, "item", i) for i in last.talk.shown]
        items = [{"rank": n, "key": c.key, "title": c.title, "pieces": [str(p) for p in c.pieces]} for n, c in enumerate(cards, 1)]
        return {"run": name, "items": items, "html": last.html}

    return ask


def theme() -> gr.themes.Base:
    """The studio's paper and ink, in Gradio's words."""
    return gr.themes.Base(
        primary_hue="emerald",
        neutral_hue="stone",
        radius_size="lg",
        text_size="md",
        font=["Source Sans", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        slider_color="#2c6456",
        slider_color_dark="#378169",
        body_background_fill="#fbfaf6",
        body_background_fill_dark="#141917",
        body_text_color="#22302c",
        body_text_color_dark="#e4e9e2",
        block_background_fill="#fbfaf6",
        block_background_fill_dark="#141917",
        background_fill_primary="#fbfaf6",
        background_fill_primary_dark="#141917",
        background_fill_secondary="#f1efe7",
        background_fill_secondary_dark="#1e2522",
        border_color_primary="#dedace",
        border_color_primary_dark="#333d38",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1e2522",
        button_primary_background_fill="#2c6456",
        button_primary_background_fill_dark="#378169",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="#f1efe7",
        button_secondary_background_fill_dark="#1e2522",
    )


def css() -> str:
    """Chips, lists and letters as in the pages, and a panel that fills its frame."""
    return _letters() + chips.style() + CSS


def _letters() -> str:
    """The fonts that Streamlit serves beside this panel, by the names the theme gives them."""
    import streamlit

    media = Path(streamlit.__file__).parent / "static" / "static" / "media"
    found = {
        "Source Sans": "SourceSansVF-Upright*",
        "Source Serif": "SourceSerifVariable-Roman*",
        "Source Code Pro": "SourceCodeVF-Upright*",
    }
    faces = ""
    for family, pattern in found.items():
        for file in sorted(media.glob(f"{pattern}.woff2"))[:1]:
            faces += (
                f'@font-face {{ font-family: "{family}"; src: url("/static/media/{file.name}") format("woff2"); font-weight: 200 900; }}\n'
            )
    return faces


CSS = """
.dark { color-scheme: dark; }
.gradio-container, .gradio-container .main.app, .gradio-container main {
  padding: 2px !important; max-width: none !important; margin: 0 !important; }
footer { display: none !important; }
#talk { border: 1px solid var(--border-color-primary); border-radius: .8rem; }
#talk .message p { margin: .15rem 0 .4rem; }
@media (min-width: 700px) { #talk .bot .lm-say { min-width: 30rem; } }
.lm-hello { font-size: 1.3rem; font-family: 'Source Serif', Georgia, serif; opacity: .75; }
"""
