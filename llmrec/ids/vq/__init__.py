"""Quantizers: vectors to codes and back. Each file holds one kind: a frozen value of arrays, and what learns it."""
