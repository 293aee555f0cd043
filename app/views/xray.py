"""X-ray."""

from app import frame

frame.head(
    "X-ray",
    "What the model really reads, how it chooses, and where the held-out item was lost.",
)
