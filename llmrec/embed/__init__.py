"""Collaborative vectors: what interactions alone say about users and items.

Where it stands: stage 2, between the split and the scheme. What it does not know: names, language models, held-out interactions.
"""
