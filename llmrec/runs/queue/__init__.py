"""The queue of runs: started from a page, the command line or Python, they are the same. It needs no server and no daemon."""

from llmrec.runs.queue.dispatch import slots, tick
from llmrec.runs.queue.orders import Place, delete, listing, resume, stop, submit

__all__ = ["Place", "delete", "listing", "resume", "slots", "stop", "submit", "tick"]
