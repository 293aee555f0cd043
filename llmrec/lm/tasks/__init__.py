"""META ID's tasks in words: rating, explanation, review or tags. The model reads a prompt with names in it and goes on in words and Tokens.

Where it stands: beside the heads of stage 4; `finetune` mixes these documents among the histories, `llmrec tasks` measures them.
What it does not know: heads and rankings. Source: META ID, arXiv 2406.08477 (the five tasks of P5). Nothing heavy is imported here.
"""
