"""What the pages see: plain values, and the protocol of the backend that makes them.

Where it stands: between `backend.py` and every page; tests hand the pages a fake that speaks the same protocol. One file per page, and
`values` for what several show; a page's own values are imported from its own file.
"""

from app.seam.backend import BackendLike
from app.seam.chat import Model, TalksLike
from app.seam.maps import Atlas, MapsLike
from app.seam.names import Inspection, NamesLike, Neighbour, Shared
from app.seam.train import Act, Choice, Forecast, Job, Plan, Setting, Training, WorkshopLike
from app.seam.values import Answer, Card, Exhibit, Overview, Person, Pick, Progress, RunInfo, Side, Trouble
from llmrec.recommend.chat.values import Mention

__all__ = [
    "Act",
    "Answer",
    "Atlas",
    "BackendLike",
    "Card",
    "Choice",
    "Exhibit",
    "Forecast",
    "Inspection",
    "Job",
    "MapsLike",
    "Mention",
    "Model",
    "NamesLike",
    "Neighbour",
    "Overview",
    "Person",
    "Pick",
    "Plan",
    "Progress",
    "RunInfo",
    "Setting",
    "Shared",
    "Side",
    "TalksLike",
    "Training",
    "Trouble",
    "WorkshopLike",
]
