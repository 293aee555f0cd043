# %% [markdown]
# # The library alone
#
# What the studio shows, `llmrec` can do without it. This notebook loads MovieLens-100K, learns vectors, names every user and film under two
# schemes, draws the map and the tree of names, trains a very small language model on the names, measures it beside a baseline, and looks
# into one recommendation. It takes about a minute on two cores; run `make fetch` once before.
#
# It is made from `docs/library.py` by `python -m benchmarks.notebook`, which runs every cell.

# %%
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads sleep: set before torch is imported

import pandas as pd

from llmrec import recipe, rng
from llmrec.data.movielens import MovieLens100K
from llmrec.data.split import LeaveOneOut

data = MovieLens100K().load()
split = LeaveOneOut().split(data.interactions, rng.stream(0, "split"))
film = next(i for i, title in enumerate(data.catalog.titles) if title == "Star Wars")
print(f"{data.interactions.n_users:,} users, {data.interactions.n_items:,} films, {len(split.train):,} interactions to learn from")

# %% [markdown]
# ## Vectors, then names
#
# A stage is a frozen dataclass with one verb, `fit`. It sees training interactions only, and randomness is an argument: the same seed gives
# the same bits. Here: walks over who took what and a skip-gram over the walks (META ID), shortened for this page.

# %%
from llmrec.embed.metapath import MetaPath
from llmrec.ids.lookup import shared_with, written
from llmrec.ids.metaid import MetaId
from llmrec.ids.tokenrec import TokenRec

vectors = MetaPath(walks_per_node=10, epochs=3).fit(split.train, data.catalog, rng.stream(0, "embed"))
tables = {
    "META ID": MetaId().fit(split.train, data.catalog, vectors, rng.stream(0, "scheme")),
    "TokenRec": TokenRec(steps=500).fit(split.train, data.catalog, vectors, rng.stream(0, "scheme")),
}
for scheme, table in tables.items():
    coarse = shared_with(table, film)[table.items.spell(film)[0]]
    friends = ", ".join(data.catalog.titles[i] for i in coarse[:4])
    print(f"{scheme}: Star Wars is {written(table.items.spell(film))}; its first Token is shared by {len(coarse)} films: {friends} …")

# %% [markdown]
# How healthy are the names? How many films share a name, how evenly are the codes used, and is anything dead?

# %%
from llmrec.contracts import IdTable
from llmrec.ids.health.collisions import collisions
from llmrec.ids.health.report import health

pd.DataFrame(
    [
        {
            "scheme": scheme,
            "new rows": found.new_rows,
            "pieces": found.depth,
            "distinct names": found.distinct_items,
            "films that share one": collisions(IdTable(scheme, table.items)).bearers,
        }
        for scheme, table, found in ((scheme, table, health(table)) for scheme, table in tables.items())
    ]
)

# %% [markdown]
# ## Figures
#
# Every picture of the studio comes from `llmrec.view` as a plotly figure. The map of users and films together, coloured by the first Token
# of their META ID names:

# %%
from llmrec.view.atlas import atlas
from llmrec.view.project import pca

atlas(pca(vectors), data.catalog, tables["META ID"], split, selected=("item", film))

# %% [markdown]
# The names themselves, as a tree: a ring for each piece.

# %%
import numpy as np

from llmrec.view.levels import Levels
from llmrec.view.tree import Paths, tree, tree_table

named, levels = tables["META ID"], Levels(tables["META ID"])
books = named.items.books
first = np.concatenate([[0], np.cumsum([book.size for book in books])])  # one number for every code of every book
codes = [(place, code) for place, book in enumerate(books) for code in range(book.size)]
paths = Paths(
    ids=named.items.codes.astype(np.int64) + first[: len(books)],
    pieces={int(first[place]) + code: books[place].spell(code) for place, code in codes},
    tones={int(first[place]) + code: levels.tone(books[place], code) for place, code in codes},
)
tree(tree_table(paths), pieces_are_tokens=True)

# %% [markdown]
# ## A language model that reads names
#
# A recipe names one choice per stage; what it does not say keeps its default. `pipeline.train` takes it through the whole flow. One layer,
# one pass: enough to see it work, far from the best (docs/results.md has those).

# %%
from llmrec.runs import pipeline, store

room = tempfile.TemporaryDirectory(prefix="llmrec-notebook-")  # gone when the notebook is
wanted = recipe.read(
    {
        "data": {"name": "ml-100k"},
        "embed": {"name": "metapath", "walks_per_node": 10, "epochs": 3},
        "scheme": {"name": "metaid"},
        "lm": {"name": "nano", "layers": 1},
        "train": {"epochs": 1, "validations": 1, "average": 0.9},
    }
)
run = store.create(wanted, Path(room.name) / "metaid")
print(pipeline.train(run, numbers=False).reason)

# %% [markdown]
# ## Measured beside a baseline
#
# Always over the whole catalogue, with an interval over users. Ten films are shown to each of 943 people: how often is the one that was
# held out among them?

# %%
from llmrec.recommend.itemknn import ItemKnn
from llmrec.report import table as report
from llmrec.report.evaluate import evaluate

model = run.recommender()
baseline = ItemKnn().fit(split.train, rng.stream(0, "baseline"))
measured = report.summary(
    evaluate(model, split), run="META ID, one pass", data="ml-100k", split="loo", seed=0, baselines={"ItemKNN": evaluate(baseline, split)}
)
low, high = measured["intervals"]["hit@10"]
print(f"META ID, one pass: hit@10 {measured['metrics']['hit@10']:.3f}, 95 % of bootstraps between {low:.3f} and {high:.3f}")
pd.DataFrame(report.rows(measured))[["recommender", "hit@10", "ndcg@10", "n_users"]].round(3)

# %% [markdown]
# ## One recommendation, looked into
#
# Why was the held-out film of a person found or missed? `look` follows it through the beam.

# %%
from llmrec.recommend.trace.looking import look
from llmrec.recommend.trace.verdict import verdict

person = 41
query = split.queries("test")[person : person + 1]
trace = look(model, query, target=int(split.targets("test")[person][0]))
print(verdict(trace, data.catalog.titles, model.lm.vocab).text)
pd.DataFrame({"title": [data.catalog.titles[i] for i in trace.items[:5]], "log p": trace.scores[:5].round(2)})
