"""A run as it happens: its events folded into one picture, the same for `llmrec runs watch`, the Train page and the first run.

`picture(run)` reads everything once; a page that looks again and again keeps a `Watch(run)` and pays for new events alone.
"""

from llmrec.runs.live.folding import fold
from llmrec.runs.live.tail import Tail
from llmrec.runs.live.values import Curves, Live, Log, Pace, StageLine
from llmrec.runs.live.watch import Watch, picture

__all__ = ["Curves", "Live", "Log", "Pace", "StageLine", "Tail", "Watch", "fold", "picture"]
