"""Dialogues: what a model reads and says when it is talked to, and dialogues of train to learn it from.

Where it stands: beside the tasks in words; `finetune` mixes dialogues among the histories, the chat's engine writes and reads the same
language. What it does not know: heads and rankings. Nothing heavy is imported here.
"""
