"""How the panel looks: the studio's paper and ink, its letters and chips, and the script that completes titles.

Where it stands: beside the panel; the server hands all of it to Gradio. What it does not know: what is said.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app import chips

HERE = Path(__file__).parent


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
        body_text_color_subdued="#56625e",
        body_text_color_subdued_dark="#a9b3ae",
        block_background_fill="#fbfaf6",
        block_background_fill_dark="#141917",
        block_label_text_color="#4c5955",
        block_label_text_color_dark="#a9b3ae",
        block_title_text_color="#4c5955",
        block_title_text_color_dark="#a9b3ae",
        input_placeholder_color="#66716c",
        input_placeholder_color_dark="#97a29d",
        background_fill_primary="#fbfaf6",
        background_fill_primary_dark="#141917",
        background_fill_secondary="#f1efe7",
        background_fill_secondary_dark="#1e2522",
        border_color_primary="#dedace",
        border_color_primary_dark="#333d38",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1e2522",
        input_border_color="#dedace",
        input_border_color_dark="#333d38",
        input_border_color_focus="#2c6456",
        input_border_color_focus_dark="#6fbfa8",
        checkbox_background_color_selected="#2c6456",
        checkbox_background_color_selected_dark="#378169",
        checkbox_border_color_selected="#2c6456",
        checkbox_border_color_selected_dark="#378169",
        button_primary_background_fill="#2c6456",
        button_primary_background_fill_dark="#378169",
        button_primary_background_fill_hover="#24564a",
        button_primary_background_fill_hover_dark="#2f7560",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#f1efe7",
        button_secondary_background_fill_dark="#1e2522",
        button_secondary_text_color="#22302c",
        button_secondary_text_color_dark="#e4e9e2",
    )


def css() -> str:
    """Chips, lists and letters as in the pages, and the panel's own."""
    nested = f".gradio-container.gradio-container {{\n{chips.style()}}}\n"
    return _letters() + nested + (HERE / "panel.css").read_text(encoding="utf-8")


def head() -> str:
    """Styles and script, for the head of the panel's page: Gradio would rewrite a style sheet that it was given as such, and lose what it
    does not know (container queries)."""
    return f"<style>{css()}</style><script>{(HERE / 'panel.js').read_text(encoding='utf-8')}</script>"


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
