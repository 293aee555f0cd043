"""A laboratory for how LLM recommenders name users and items."""

__version__ = "0.1.0"
