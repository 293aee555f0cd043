"""Tour."""

from app import frame

frame.head(
    "Tour",
    "One item, eight names: what a language model is given to learn from, and three ways to choose it.",
    runs=False,
)
