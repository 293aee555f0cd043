"""What ranking costs per person: retrieval, the items head and beam search on the same model, names and people; and how each grows.

    OMP_NUM_THREADS=2 python -m benchmarks.ranking        # about four minutes on two cores

Where it stands: outside the package. The models are untrained: what a ranking costs hangs on sizes, not on what the weights say. Every
contender ranks the whole catalogue for the same people, seen items excluded, through `LanguageRecommender`, writing of prompts included.
Contenders go by turns within one process, and the median of the repeats counts, so that what else the machine does hits all alike. The
names and people of ml-100k are those of the shipped sketches; larger catalogues are made up, with names of the same two shapes.
"rows_ms": of the items head's time, what making all items' rows anew takes, which it does at every ranking because weights may have
changed; whoever serves one model would do it once. `pools` sets the index of the retrieve head beside comparing with all vectors.
Results go to benchmarks/measured/ranking.json.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from llmrec import recipe
from llmrec.artifacts import write_json
from llmrec.contracts import Book, Catalog, IdTable, Names, Queries, Vectors
from llmrec.ids.metaid import scaled_clusters
from llmrec.ids.tokenrec import TokenRec, scaled_codes
from llmrec.lm.backbone import Backbone
from llmrec.lm.heads import Head
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Pool, Retrieve, _index, _search
from llmrec.lm.heads.trie import Trie
from llmrec.lm.heads.whole import NONE, best, tie_order
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import has_bf16
from llmrec.lm.vocab import Ragged
from llmrec.recommend.language import LanguageRecommender
from llmrec.runs import machine

HERE = Path(__file__).resolve().parent
OUT = HERE / "measured" / "ranking.json"
HEADS: dict[str, Head] = {"retrieve": Retrieve(), "items": Items(), "trie, 10 beams": Trie(10), "trie, 20 beams": Trie(20)}
PAPERS = (("metaid", "trie, 10 beams"), ("tokenrec", "retrieve"))  # as each of the two papers ranks
LONG = (("title", "trie, 10 beams"), ("title", "retrieve"))  # a pass for each piece of the longest name
PEOPLE = {1: 8, 64: 64}  # ranked in a turn, by how many are read at once
K = 20


@dataclass(frozen=True)
class World:
    """Names by scheme, vectors, and people to rank for: each with up to 50 items, the newest of their history. titles: what subwords are
    made from."""

    tables: dict[str, IdTable]
    vectors: Vectors
    people: Queries
    titles: tuple[str, ...] = ("Thing",)

    @property
    def n_items(self) -> int:
        return len(self.vectors.items)


def of_recipes(schemes: Sequence[str] = ("metaid", "title", "tokenrec"), n_people: int = 64) -> World:
    """Names and people as the shipped recipes prepare them; vectors of the last."""
    import contextlib

    from llmrec.runs import stages

    prepared = [
        stages.prepare(recipe.load(HERE / "recipes" / f"{name}-ml-100k-sketch.toml"), lambda _: contextlib.nullcontext())
        for name in schemes
    ]
    last = prepared[-1]
    assert last.vectors is not None
    everybody = last.split.queries("test")
    step = max(1, len(everybody) // n_people)
    assert everybody.exclude is not None
    people = Queries(everybody.users[::step], everybody.histories[::step], everybody.exclude[::step])[:n_people]
    return World({p.table.scheme: p.table for p in prepared}, last.vectors, people, tuple(last.dataset.catalog.titles))


def made_up(m: int, n: int = 1000, n_people: int = 64, seed: int = 0) -> World:
    """m items and n users with names of META ID's and TokenRec's shapes, drawn and not fitted, and people who took 50 items each."""
    draw = np.random.default_rng(seed)
    cluster = draw.integers(scaled_clusters(m + n), size=m + n)
    order = np.argsort(cluster, kind="stable")
    first = np.searchsorted(cluster[order], cluster)
    rank = np.empty(m + n, dtype=np.int64)
    rank[order] = np.arange(m + n) - first[order]
    books = (Book("c", int(cluster.max()) + 1), Book("r", int(rank.max()) + 1))
    joint = np.stack([cluster, rank], 1).astype(np.int32)
    tables = {"metaid": IdTable("metaid", Names(joint[:m], books), Names(joint[m:], books))}
    sides = []
    for side, size in (("i", m), ("u", n)):
        codes = draw.integers(scaled_codes(size), size=(size, TokenRec().n_books)).astype(np.int32)
        sides.append(Names(codes, tuple(Book(f"{side}{k}_", scaled_codes(size)) for k in range(codes.shape[1]))))
    tables["tokenrec"] = IdTable("tokenrec", sides[0], sides[1])
    vectors = Vectors(draw.standard_normal((n, 64), dtype=np.float32), draw.standard_normal((m, 64), dtype=np.float32))
    histories = tuple(draw.choice(m, size=min(50, m // 2), replace=False).astype(np.int32) for _ in range(n_people))
    return World(tables, vectors, Queries(np.arange(n_people, dtype=np.int32), histories, histories))


@dataclass(frozen=True)
class Contender:
    """One way of ranking one set of names."""

    names: str
    head: str
    ranks: LanguageRecommender

    def facts(self, people: Queries) -> dict[str, Any]:
        """What its time comes from: pieces read before a ranking, passes through the model."""
        read = [len(self.ranks.prompt(int(u), h)) for u, h in zip(people.users, people.histories, strict=True)]
        passes = self.ranks.compiled.depth if self.head.startswith("trie") else 1
        return {"names": self.names, "head": self.head, "prompt": round(float(np.mean(read)), 1), "passes": passes}

    @torch.no_grad()
    def make_rows(self) -> None:
        """What the items head does before it compares: every item's row from those of its Tokens."""
        self.ranks.compiled.mean(self.ranks.lm)


def contenders(world: World, backbone: Backbone, heads: dict[str, Head] | None = None) -> list[Contender]:
    """Every head on META ID's names, on one model; TokenRec's names as its paper ranks them and titles, on models of the same size."""
    told = pd.DataFrame({"key": [str(i) for i in range(len(world.titles))], "title": world.titles})
    catalog = Catalog(pd.DataFrame({"key": ["u"]}), told)
    chosen, out = HEADS if heads is None else heads, []
    for names, table in world.tables.items():
        lm = LanguageModel.create(backbone, table, catalog, 0).eval()
        for name, head in chosen.items():
            if names == "metaid" or (names, name) in (*PAPERS, *LONG):
                head.equip(lm, world.vectors, 0)
                compiled = head.compile(lm, table, None, world.vectors)
                out.append(Contender(names, name, LanguageRecommender(lm, table, head, compiled)))
    return out


def by_turns(work: dict[Any, Callable[[], object]], repeats: int, threads: int) -> dict[Any, dict[str, list[float]]]:
    """Each piece of work once uncounted, then all in turn, `repeats` times: wall and CPU seconds of each time."""
    import faiss

    before = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    told: dict[Any, dict[str, list[float]]] = {key: {"wall": [], "cpu": []} for key in work}
    try:
        for turn in range(repeats + 1):
            for key, do in work.items():
                wall, cpu = time.perf_counter(), time.process_time()
                do()
                if turn:
                    told[key]["wall"].append(time.perf_counter() - wall)
                    told[key]["cpu"].append(time.process_time() - cpu)
    finally:
        torch.set_num_threads(before[0])
        faiss.omp_set_num_threads(before[1])
    return told


def per_person(told: dict[str, list[float]], people: int) -> dict[str, float]:
    """Milliseconds a person: the median of the turns, the quickest and the slowest; and of the CPU, all threads together."""
    wall = [1000 * s / people for s in told["wall"]]
    cpu = statistics.median(told["cpu"]) * 1000 / people
    return {"ms": round(statistics.median(wall), 3), "least": round(min(wall), 3), "most": round(max(wall), 3), "cpu_ms": round(cpu, 3)}


def measure(
    world: World, backbone: Backbone, threads: Sequence[int], repeats: int, people: dict[int, int] | None = None
) -> list[dict[str, Any]]:
    """A row per contender, number of people read at once and number of threads.

    people: how many are ranked in a turn, by how many are read at once; `of_retrieve`: in times of the retrieve head on META ID's names;
    `rows_ms`: see above, for the items head alone.
    """
    rows: list[dict[str, Any]] = []
    ways = contenders(world, backbone)
    for (batch, count), n_threads in itertools.product((people or PEOPLE).items(), threads):
        who = world.people[:count]

        told = by_turns({i: functools.partial(_rank, way.ranks, who, batch) for i, way in enumerate(ways)}, repeats, n_threads)
        apart = by_turns({i: w.make_rows for i, w in enumerate(ways) if isinstance(w.ranks.head, Items)}, repeats, n_threads)
        found = [{**way.facts(who), "batch": batch, "threads": n_threads, **per_person(told[i], len(who))} for i, way in enumerate(ways)]
        for i, seconds in apart.items():
            found[i]["rows_ms"] = per_person(seconds, min(batch, len(who)))["ms"]  # once for all who are read at once
        one = next(row["ms"] for row in found if (row["names"], row["head"]) == ("metaid", "retrieve"))
        rows += [row | {"of_retrieve": round(row["ms"] / one, 2)} for row in found]
    return rows


def _rank(ranks: LanguageRecommender, who: Queries, batch: int) -> None:
    for first in range(0, len(who), batch):
        ranks.recommend(who[first : first + batch], K)


def papers(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many times as long META ID's way takes as TokenRec's, each with its own names and head."""
    out = []
    for batch, n_threads in sorted({(row["batch"], row["threads"]) for row in rows}):
        trie, retrieve = (
            next(r["ms"] for r in rows if (r["names"], r["head"], r["batch"], r["threads"]) == (*pair, batch, n_threads)) for pair in PAPERS
        )
        out.append({"batch": batch, "threads": n_threads, "trie_over_retrieve": round(trie / retrieve, 2)})
    return out


def pools(
    sizes: Sequence[int], threads: Sequence[int], repeats: int, batches: Sequence[int] = (1, 16), d: int = 64
) -> list[dict[str, Any]]:
    """The step after the pass: the K nearest of many vectors, through the index and by comparing with all, 50 items excluded."""
    rows = []
    for m in sizes:
        draw = np.random.default_rng(0)
        units = torch.nn.functional.normalize(torch.from_numpy(draw.standard_normal((m, d), dtype=np.float32)), dim=1)
        known, ties = torch.ones(m, dtype=torch.bool), tie_order(m)
        nothing = Ragged(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64))
        pool = Pool(nothing, units, known, ties, _index(units[ties]))
        for batch, n_threads in itertools.product(batches, threads):
            z = torch.nn.functional.normalize(torch.from_numpy(draw.standard_normal((batch, d), dtype=np.float32)), dim=1)
            gone = tuple(draw.integers(m, size=50) for _ in range(batch))

            def index(z: torch.Tensor = z, gone: Any = gone, pool: Pool = pool) -> Any:
                return _search(pool, z, K, gone)

            def everything(z: torch.Tensor = z, gone: Any = gone, pool: Pool = pool) -> Any:
                return best((z @ pool.units.T).masked_fill(~pool.known, NONE), K, pool.ties, gone)

            assert np.array_equal(index().items, everything().items)
            told = by_turns({"index": index, "compare with all": everything}, repeats, n_threads)
            rows += [{"vectors": m, "way": w, "batch": batch, "threads": n_threads, **per_person(t, batch)} for w, t in told.items()]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranking", description="What ranking costs per person, by head.")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="turns that count (default: 5)")
    parser.add_argument("--out", type=Path, default=OUT, help="JSON to write")
    given = parser.parse_args()
    backbone = Backbone(name="nano")
    said: dict[str, Any] = {"command": f"python -m benchmarks.ranking --repeats {given.repeats}", "backbone": "nano, untrained", "k": K}
    said["precision"] = "bf16" if has_bf16("cpu") else "fp32"
    said["catalogues"] = {}
    for size, threads in ((None, (1, 2)), (12_101, (1,)), (100_000, (1,))):
        world = of_recipes() if size is None else made_up(size)
        rows = measure(world, backbone, threads, given.repeats)
        label = "ml-100k" if size is None else f"made up, {size:,} items"
        said["catalogues"][label] = {"items": world.n_items, "rows": rows, "papers": papers(rows)}
        for row in rows:
            print(label, row)
    said["pools"] = pools((100_000, 1_000_000), (1, 2), max(1, min(3, given.repeats)))
    for row in said["pools"]:
        print(row)
    write_json(said | {"versions": machine.versions(), "machine": machine.describe()}, given.out)


if __name__ == "__main__":
    main()
