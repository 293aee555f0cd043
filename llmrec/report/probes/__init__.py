"""Probes: a shipped set of messages over all skills of a talk, asked of every model alike, and what holds of the answers.

Where it stands: beside the numbers of a report, over speakers of any kind. What it does not know: how an answer is made.
"""
