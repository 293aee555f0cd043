"""How a language model's output becomes a ranking of items."""
