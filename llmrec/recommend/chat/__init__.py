"""Talking to a recommender: conversations, mentions of titles, and the speakers that answer, tuned or fixed.

Where it stands: over the recommenders of `llmrec.recommend` and the words of `llmrec.lm`; terminal, probes and panel talk to it.
What it does not know: pages, HTML. Nothing heavy is imported here.
"""
