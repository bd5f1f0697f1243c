"""Classifying comments end to end, Parquet to Parquet, against transformers' own pipeline(batch_size=32).

    python -m benchmarks.infer_speed ENCODER DATA [--texts 4000] [--rounds 3]
    python -m benchmarks.infer_speed ENCODER DATA --comments comments.parquet [--limit 0]

ENCODER: a pretrained encoder's folder. DATA: a csv with `text` and `label`. A classification head, and the encoder
with it, is first fine-tuned on DATA for an epoch or two, so that labels mean something; the texts that are classified
are others of DATA, each once. In each round the pipeline and every engine that is installed take turns, so that what
else the machine does falls on all of them; ratios are of one round. An engine's time is `moodline infer`'s own: from
reading to the last shard in its place, model opened before; the pipeline's is reading, classifying and one file.

With --comments: rows a second and peak memory of that file, by the engine that `auto` takes, with duplicates dropped
and with each text classified as often as it stands there; --limit: only so many rows.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

BATCH = 32  # of the pipeline that is compared with
HELD_BACK = 500  # rows for the accuracy that is printed
LENGTH = 128


def rows_of(data: Path) -> list[tuple[str, str]]:
    """Cleaned texts, each once, and their labels."""
    from transfer.cleaning import clean, key

    with data.open(encoding="utf-8", newline="") as file:
        found = {key(clean(row["text"])): (clean(row["text"]), row["label"]) for row in csv.DictReader(file)}
    return [row for row in found.values() if row[0]]


def fine_tuned(encoder: Path, rows: Sequence[tuple[str, str]], folder: Path, steps: int) -> float:
    """Fine-tunes on the rows but the last HELD_BACK, saves to the folder, returns accuracy on those."""
    import torch

    from transfer.encoding import encode, pad
    from transfer.engines.torch import probabilities_of
    from transfer.model import load_classifier, load_tokenizer
    from transfer.quick import quicken

    labels = sorted({label for _, label in rows})
    truth = np.array([labels.index(label) for _, label in rows])
    model, tokenizer = load_classifier(encoder, labels, seed=1), load_tokenizer(str(encoder))
    quicken(model, "cpu")
    tokens = encode([text for text, _ in rows], tokenizer, LENGTH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-4, weight_decay=0.01)
    rng, n = np.random.default_rng(0), len(rows) - HELD_BACK
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-4 * min(1.0, step / 20) * (1 - step / steps)
        ids, mask = pad(tokens, chosen := rng.choice(n, 32, replace=False))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=ids, attention_mask=mask).logits
        torch.nn.functional.cross_entropy(logits.float(), torch.from_numpy(truth[chosen])).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
    found = probabilities_of(model, tokens.take(np.arange(n, len(rows)))).argmax(axis=1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return float((found == truth[n:]).mean())


def by_pipeline(model: Path, texts: Path, out: Path) -> tuple[float, NDArray[np.int64]]:
    """Seconds from file to file, model loaded before, and the labels."""
    from transformers import pipeline

    classify: Any = pipeline("text-classification", str(model), device="cpu", top_k=None)
    classify(["warm up"] * BATCH, batch_size=BATCH)
    ids = classify.model.config.label2id
    began = time.perf_counter()
    table = pq.read_table(texts)
    found = classify(table.column("text").to_pylist(), batch_size=BATCH, truncation=True, max_length=LENGTH)
    best = [max(scores, key=lambda score: score["score"]) for scores in found]
    made = pa.table({"id": table.column("id"), "label": [b["label"] for b in best], "p": [b["score"] for b in best]})
    pq.write_table(made, out)
    return time.perf_counter() - began, np.array([ids[b["label"]] for b in best])


def project(folder: Path, model: Path, comments: Path, columns: dict[str, str], shard_rows: int) -> Any:
    """A run whose final predictor is the model."""
    from datetime import UTC, datetime
    from types import SimpleNamespace

    from transformers import AutoConfig

    from stages.models import predictor_fingerprint
    from stages.plan import read_plan
    from stages.workspace import open_run
    from storage.registry import ModelRecord
    from transfer.combine import mixture_from

    config = AutoConfig.from_pretrained(model)
    labels = [config.id2label[i] for i in range(config.num_labels)]
    plan = {
        "name": "speed",
        "labels": labels,
        "original": {"train": [{"path": "none.csv"}]},
        "comments": [{"path": str(comments), **columns}],
        "candidates": ["none"],
        "infer": {"shard_rows": shard_rows},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")
    run = open_run(read_plan(folder / "plan.yaml"))
    size = run.files.publish(model, "models/one")
    about: dict[str, Any] = {"metrics": {"labels": labels}, "recipe": {"max_length": LENGTH}}
    record = ModelRecord(
        name="one", plan="speed", stage="basic", study=None, trial=None, candidate="none", path="models/one",
        bytes=size, value=0.0, lineage={"fingerprint": "one"}, created_at=datetime.now(UTC), **about,
    )  # fmt: skip
    told = predictor_fingerprint([record], "mean")
    predictor = SimpleNamespace(
        records=[record], members=["one"], name="one", how=mixture_from("mean"), fingerprint=told
    )
    return run, predictor


def by_engine(run: Any, predictor: Any, way: Any) -> tuple[float, NDArray[np.int64]]:
    """Seconds of one inference with the engine opened before, and the labels."""
    from stages import infer
    from stages.anew import begin_anew
    from stages.classifiers import Here, Team
    from stages.engine_choice import member_of
    from stages.report import Silent
    from transfer.combine import mixture_from
    from transfer.engines.opening import open_engine

    member = member_of(run, predictor.records[0])
    here = Here([open_engine(way, member)], mixture_from("mean"))
    here.begin(["warm up"] * BATCH)(lambda read: None)
    vars(infer)["final_predictor"] = lambda run: predictor
    vars(infer)["choose_team"] = lambda *_: Team([member], [way], mixture_from("mean"))
    begin_anew(run, "infer")
    assert isinstance(run.report, Silent)
    began = time.perf_counter()
    told = infer.run_infer(run, lambda run, team: here)
    seconds = time.perf_counter() - began
    column = [label for name in told["shards"] for label in pq.read_table(run.files.fetch(name))["label"].to_pylist()]
    return seconds, np.array([run.plan.labels.index(label) for label in column])


def race(encoder: Path, data: Path, texts: int, rounds: int, steps: int) -> dict[str, Any]:
    """Ratios to the pipeline and agreement with it, for every engine."""
    from transfer.encoding import encode
    from transfer.engines.opening import open_engine, ways_here
    from transfer.model import load_tokenizer

    with tempfile.TemporaryDirectory() as name:
        folder, rows = Path(name), rows_of(data)
        rows = [rows[int(i)] for i in np.random.default_rng(0).permutation(len(rows))]
        model = folder / "model"
        accuracy = fine_tuned(encoder, rows[texts:], model, steps)
        comments = folder / "comments.parquet"
        pq.write_table(
            pa.table({"id": list(map(str, range(texts))), "text": [row[0] for row in rows[:texts]]}), comments
        )
        run, predictor = project(folder / "run", model, comments, {"id": "id"}, 50_000)
        from stages.engine_choice import member_of

        tokenizer = load_tokenizer(str(model))
        calibration = encode([row[0] for row in rows[texts : texts + 300]], tokenizer, LENGTH)
        member, ways = member_of(run, predictor.records[0]), ways_here()
        for way in ways:
            open_engine(way, member, lambda: calibration)
        found: dict[str, list[float]] = {"pipeline": []}
        labels: dict[str, NDArray[np.int64]] = {}
        for _ in range(rounds):
            seconds, labels["pipeline"] = by_pipeline(model, comments, folder / "pipeline.parquet")
            found["pipeline"].append(seconds)
            for way in ways:
                seconds, labels[str(way)] = by_engine(run, predictor, way)
                found.setdefault(str(way), []).append(seconds)
        tokens = float(encode([row[0] for row in rows[:texts]], tokenizer, LENGTH).lengths.mean())
    told = {name: _figures(name, found, labels, texts) for name in found}
    return {"texts": texts, "tokens_a_text": tokens, "accuracy": accuracy, "load": os.getloadavg(), "engines": told}


def _figures(
    name: str, seconds: dict[str, list[float]], labels: dict[str, NDArray[np.int64]], texts: int
) -> dict[str, Any]:
    ratios = [theirs / ours for theirs, ours in zip(seconds["pipeline"], seconds[name], strict=True)]
    return {
        "texts_per_second": round(texts / statistics.median(seconds[name]), 1),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in sorted(ratios)],
        "agreement": float((labels[name] == labels["pipeline"]).mean()),
    }


def whole(encoder: Path, data: Path, comments: Path, limit: int, steps: int) -> dict[str, Any]:
    """Rows a second and peak memory of a file of comments, with duplicates dropped and without, a process for each."""
    with tempfile.TemporaryDirectory() as name:
        folder, rows = Path(name), rows_of(data)
        fine_tuned(encoder, rows, folder / "model", steps)
        source = comments.resolve()
        if limit:
            source = folder / "comments.parquet"
            pq.write_table(pq.read_table(comments).slice(0, limit), source)
        told: dict[str, Any] = {}
        for kind in ("dropped", "kept"):
            words = [sys.executable, "-m", "benchmarks.infer_speed", str(folder), str(source), "--whole", kind]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            told[kind] = json.loads(done.stdout.splitlines()[-1])
    return told | {"load": os.getloadavg()}


def classify_whole(folder: Path, comments: Path, duplicates: str) -> dict[str, Any]:
    """What infer says; duplicates "kept": each text is classified as often as it stands there."""
    from stages import infer, seen
    from stages.progress import Terminal
    from stages.shard_file import key_numbers

    columns = {"id": "id", "time": "written_at", "author": "author", "source": "source"}
    there = pq.read_schema(comments).names
    given = {key: name for key, name in columns.items() if name in there}
    run, predictor = project(folder / duplicates, folder / "model", comments, given, 50_000)
    vars(infer)["final_predictor"] = lambda run: predictor
    if duplicates == "kept":
        real = key_numbers
        vars(infer)["key_numbers"] = lambda keys: real(keys) * 0 + np.arange(len(keys))
        seen.Seen.where = lambda self, keys: np.full(len(keys), seen.NOWHERE)  # type: ignore[method-assign]
    from dataclasses import replace

    told = infer.run_infer(replace(run, report=Terminal()))
    keys = ("rows", "unique", "seconds", "rows_per_second", "peak_rss_bytes", "engine", "precision")
    return {key: told[key] for key in keys}


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300, help="of fine-tuning, 32 texts each")
    parser.add_argument("--comments", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--whole", choices=["dropped", "kept"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    from stages.edge import quiet_libraries

    quiet_libraries()
    if given.whole:
        told = classify_whole(given.encoder, given.data, given.whole)
    elif given.comments:
        told = whole(given.encoder, given.data, given.comments, given.limit, given.steps)
    else:
        told = race(given.encoder, given.data, given.texts, given.rounds, given.steps)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
