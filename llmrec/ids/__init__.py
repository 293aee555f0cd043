"""Schemes: ways of naming users and items, and what can be read off the names.

Where it stands: stage 3, between the vectors and the language model. What it does not know: prompts, models, user interfaces.
"""
