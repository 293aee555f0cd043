"""Recommend: everything that ranks items for people, language models and baselines alike.

Where it stands: after training, before `report` and the apps. One verb for all: `recommend(queries, k) -> Ranked`.
What it does not know: how its answers are measured or shown.
"""
