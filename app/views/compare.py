"""Compare."""

from app import frame

frame.head(
    "Compare",
    "Runs and baselines on the same held-out items, each number with its interval.",
    runs=False,
)
