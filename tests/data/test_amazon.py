"""Amazon's reviews: the three collections read alike, metadata gives titles and categories, and what is wrong is told by line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from llmrec.data.admit import BadData
from llmrec.data.amazon import AmazonReviews

OLD: list[dict[str, Any]] = [
    {"reviewerID": "A1", "asin": "B1", "overall": 5.0, "unixReviewTime": 1393545600, "reviewText": "Lovely <b>soap</b>", "summary": "x"},
    {"reviewerID": "A1", "asin": "B2", "overall": 3.0, "unixReviewTime": 1393545500, "reviewText": "Meh"},
    {"reviewerID": "A2", "asin": "B1", "overall": 4.0, "unixReviewTime": 1393545700},
]
NEW = [
    {"user_id": r["reviewerID"], "parent_asin": r["asin"], "asin": f"variant-{n}", "rating": r["overall"], "title": "of the review",
     "timestamp": r["unixReviewTime"] * 1000 + 7, "text": r.get("reviewText", "")}
    for n, r in enumerate(OLD)
]  # fmt: skip
PRODUCTS = [
    {"asin": "B1", "title": "Soap &amp; Co", "categories": [["Beauty", "Bath"], ["Beauty", "Soap"]]},
    {"asin": "B9", "title": "Nobody reviewed this"},
    {"asin": "B1", "title": "A second line"},
]


def lines(path: Path, rows: list[Any], write: Any = json.dumps) -> str:
    text = "\n".join(write(row) for row in rows) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


@pytest.mark.parametrize("rows", [OLD, NEW], ids=["2014 and 2018", "2023"])
def test_the_collections_read_alike(tmp_path: Path, rows: list[Any]) -> None:
    data = AmazonReviews(lines(tmp_path / "reviews.json.gz", rows), text=True).load()
    taken = data.interactions
    assert (data.catalog.user_keys, data.catalog.item_keys) == (["A1", "A2"], ["B1", "B2"])
    assert [data.catalog.item_keys[i] for i in taken.item] == ["B2", "B1", "B1"]  # oldest first within a user
    assert taken.time.tolist() == [1393545500, 1393545600, 1393545700]
    assert taken.rating is not None and taken.rating.tolist() == [3.0, 5.0, 4.0]
    assert taken.text is not None and taken.text.tolist() == ["Meh", "Lovely <b>soap</b>", ""]


def test_text_is_kept_only_where_it_is_asked_for(tmp_path: Path) -> None:
    assert AmazonReviews(lines(tmp_path / "r.json", OLD)).load().interactions.text is None


@pytest.mark.parametrize("write", [json.dumps, repr], ids=["json", "python's writing, as in 2014"])
def test_metadata_gives_titles_and_categories(tmp_path: Path, write: Any) -> None:
    reviews, products = lines(tmp_path / "r.json", OLD), lines(tmp_path / "meta.json", PRODUCTS, write)
    data = AmazonReviews(reviews, products).load()
    items = data.catalog.items.set_index("key")
    assert items.loc["B1", "title"] == "Soap &amp; Co" and items.loc["B1", "genres"] == ["Beauty", "Bath", "Soap"]
    assert items.loc["B2", "title"] == "B2"  # the metadata lacks it
    assert any("more than once" in note for note in data.notes) and any("missing in the catalogue" in note for note in data.notes)


WRONG = [
    ('{"reviewerID": "A"', "line 2: no JSON object"),
    ("[1, 2]", "line 2: .* is no JSON object"),
    ('{"reviewerID": ["A"], "asin": "B", "overall": 5, "unixReviewTime": 1}', "line 2, column 'reviewerID'"),
    ('{"reviewerID": "A", "overall": 5, "unixReviewTime": 1}', "line 2, column 'asin'"),
    ('{"reviewerID": "A", "asin": "B", "overall": "good", "unixReviewTime": 1}', "line 2, column 'rating': 'good' is not a number"),
    ('{"reviewerID": "A", "asin": "B", "overall": 5, "unixReviewTime": "now"}', "line 2, column 'time': 'now' is not a number"),
    ("[" * 50_000, "line 2: no JSON object"),
    ('{"overall": ' + "1" * 5_000 + "}", "line 2: no JSON object"),
    ("{'asin': __import__('os')}", "line 2: no JSON object"),
    ("{'a': " + "[" * 5_000 + "]" * 5_000 + "}", "line 2: no JSON object"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps(OLD[0]) + "\n" + line + "\n")
    with pytest.raises(BadData, match=said):
        AmazonReviews(str(path)).load()


def test_other_json_is_refused_by_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no field 'reviewerID' or 'user_id' \(it has name\)"):
        AmazonReviews(lines(tmp_path / "x.json", [{"name": "x"}])).load()
    with pytest.raises(BadData, match="names none of the 2 products"):
        AmazonReviews(lines(tmp_path / "r.json", OLD), lines(tmp_path / "m.json", [{"asin": "Z", "title": "z"}])).load()
    (tmp_path / "empty.json").write_text("\n\n")
    with pytest.raises(BadData, match="is empty"):
        AmazonReviews(str(tmp_path / "empty.json")).load()
