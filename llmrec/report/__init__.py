"""Report: rankings to numbers, numbers to tables, and how sure one may be of them.

Where it stands: after `recommend`. What it does not know: how a ranking was made.
"""
