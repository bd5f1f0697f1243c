"""Classifying comments end to end, Parquet to Parquet, compared with transformers' own pipeline(batch_size=32).

    python -m benchmarks.infer_speed ENCODER DATA [--texts 4000] [--rounds 3] [--ways "openvino bfloat16"] [--model DIR]
    python -m benchmarks.infer_speed ENCODER DATA --comments comments.parquet [--limit 0] [--model DIR]

ENCODER: a pretrained encoder's folder. DATA: a csv with `text` and `label`, or a folder with one, train.csv. The
encoder with a classification head is first fine-tuned on DATA, so that the labels mean something. The texts that are
classified are other texts of DATA, each once. --model keeps the fine-tuned model in a folder, and loads it from there
if it exists: use it with the same DATA and --texts.

In each round the pipeline and the engines (--ways; all by default) take turns, so that other load on the machine
affects all of them; ratios are of one round. An engine's time is `moodline infer`'s own: from reading to the last
shard in its place, with the model loaded before. The pipeline's time is reading, classifying and writing one file. In
addition to wall-clock time, the processor time of all threads is given, which other load changes less, and the limit
by the machine's products (benchmarks.product_limit), measured in every round.

With --comments: rows a second and peak memory for that file, by the engine that `auto` selects, with duplicates dropped
and with each text classified as often as it occurs; --limit: only so many rows.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

BATCH = 32  # of the pipeline that is compared with
HELD_BACK = 500  # rows for the accuracy that is printed
LENGTH = 128
KINDS = ("dropped", "kept")


def rows_of(data: Path) -> list[tuple[str, str]]:
    """Cleaned texts, each once, and their labels."""
    from transfer.text.cleaning import clean, key

    file_of = data / "train.csv" if data.is_dir() else data
    with file_of.open(encoding="utf-8", newline="") as file:
        found = {key(clean(row["text"])): (clean(row["text"]), row["label"]) for row in csv.DictReader(file)}
    return [row for row in found.values() if row[0]]


def fine_tuned(encoder: Path, rows: Sequence[tuple[str, str]], folder: Path, steps: int) -> float:
    """Fine-tunes on all rows except the last HELD_BACK, saves to the folder, returns the accuracy on those."""
    import torch

    from transfer.cpu_kernels.apply import apply_cpu_kernels
    from transfer.encoders.model import load_classifier, load_tokenizer
    from transfer.encoders.tokenization import encode, pad
    from transfer.engines.torch_engine import probabilities_of

    labels = sorted({label for _, label in rows})
    truth = np.array([labels.index(label) for _, label in rows])
    model, tokenizer = load_classifier(encoder, labels, seed=1), load_tokenizer(str(encoder))
    apply_cpu_kernels(model, "cpu")
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


@dataclass(frozen=True)
class Turn:
    """One side's turn: seconds by the clock and of the processor, all threads together, and the labels."""

    seconds: float
    processor: float
    labels: NDArray[np.int64]


def clocks() -> tuple[float, float]:
    """Wall-clock and processor time, now."""
    return time.perf_counter(), time.process_time()


def by_pipeline(model: Path, texts: Path, out: Path) -> Turn:
    """From file to file, model loaded before."""
    from transformers import pipeline

    classify: Any = pipeline("text-classification", str(model), device="cpu", top_k=None)
    classify(["warm up"] * BATCH, batch_size=BATCH)
    ids = classify.model.config.label2id
    began, used = clocks()
    table = pq.read_table(texts)
    found = classify(table.column("text").to_pylist(), batch_size=BATCH, truncation=True, max_length=LENGTH)
    best = [max(scores, key=lambda score: score["score"]) for scores in found]
    made = pa.table({"id": table.column("id"), "label": [b["label"] for b in best], "p": [b["score"] for b in best]})
    pq.write_table(made, out)
    ended, spent = clocks()
    return Turn(ended - began, spent - used, np.array([ids[b["label"]] for b in best]))


def project(folder: Path, model: Path, comments: Path, columns: dict[str, str], shard_rows: int) -> Any:
    """A run whose final predictor is the model."""
    from datetime import UTC, datetime
    from types import SimpleNamespace

    from transformers import AutoConfig

    from stages.plan.schema import read_plan
    from stages.runtime.predictor import predictor_fingerprint
    from stages.runtime.run_context import open_run
    from storage.records.model_registry import ModelRecord
    from transfer.ensembling.combination import mixture_from

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
        name="one", plan="speed", stage="search", study=None, trial=None, candidate="none", path="models/one",
        bytes=size, value=0.0, lineage={"fingerprint": "one"}, created_at=datetime.now(UTC), **about,
    )  # fmt: skip
    told = predictor_fingerprint([record], "mean")
    predictor = SimpleNamespace(
        records=[record], members=["one"], name="one", how=mixture_from("mean"), fingerprint=told
    )
    return run, predictor


def by_engine(run: Any, predictor: Any, way: Any) -> Turn:
    """One inference with the engine opened before."""
    from stages.infer import run_infer
    from stages.infer.engine_selection import member_of
    from stages.infer.executors import ExecutorChoice, InProcess
    from stages.runtime.progress import SilentReporter
    from stages.runtime.reset import reset_stage
    from transfer.engines.engine_factory import open_engine
    from transfer.ensembling.combination import mixture_from

    member = member_of(run, predictor.records[0])
    here = InProcess([open_engine(way, member)], mixture_from("mean"))
    here.begin(["warm up"] * BATCH)(lambda read: None)
    vars(run_infer)["final_predictor"] = lambda run: predictor
    vars(run_infer)["choose_engines"] = lambda *_: ExecutorChoice([member], [way], mixture_from("mean"))
    reset_stage(run, "infer")
    assert isinstance(run.report, SilentReporter)
    began, used = clocks()
    result = run_infer.run_infer(run, lambda run, choice: here)
    ended, spent = clocks()
    column = [label for name in result.shards for label in pq.read_table(run.files.fetch(name))["label"].to_pylist()]
    return Turn(ended - began, spent - used, np.array([run.plan.labels.index(label) for label in column]))


def shuffled(data: Path) -> list[tuple[str, str]]:
    """Texts and labels in a fixed order, so that a kept model was never trained on the texts that are classified."""
    rows = rows_of(data)
    return [rows[int(i)] for i in np.random.default_rng(0).permutation(len(rows))]


def model_for(encoder: Path, rows: Sequence[tuple[str, str]], folder: Path, steps: int) -> float | None:
    """Accuracy of the model fine-tuned into the folder; None if the folder already had one."""
    if (folder / "config.json").is_file():
        return None
    return fine_tuned(encoder, rows, folder, steps)


def race(given: argparse.Namespace) -> dict[str, Any]:
    """Ratios to the pipeline and agreement with it, for every engine; and the limit by the products."""
    from transformers import AutoConfig

    from benchmarks.product_limit import Shape, limit, time_products
    from stages.infer.engine_selection import member_of
    from transfer.encoders.model import load_tokenizer
    from transfer.encoders.tokenization import encode
    from transfer.engines.engine_factory import available_variants, open_engine

    texts = given.texts
    with tempfile.TemporaryDirectory() as name:
        folder, rows = Path(name), shuffled(given.data)
        model = given.model or folder / "model"
        accuracy = model_for(given.encoder, rows[texts:], model, given.steps)
        chosen, comments = [text for text, _ in rows[:texts]], folder / "comments.parquet"
        pq.write_table(pa.table({"id": list(map(str, range(texts))), "text": chosen}), comments)
        run, predictor = project(folder / "run", model, comments, {"id": "id"}, 50_000)
        tokenizer, config = load_tokenizer(str(model)), AutoConfig.from_pretrained(model)
        calibration = encode([text for text, _ in rows[texts : texts + 300]], tokenizer, LENGTH)
        member = member_of(run, predictor.records[0])
        ways = [way for way in available_variants() if not given.ways or str(way) in given.ways]
        for way in ways:
            open_engine(way, member, lambda: calibration)
        turns: dict[str, list[Turn]] = {}
        products: dict[Shape, list[float]] = {}
        for _ in range(given.rounds):
            turns.setdefault("pipeline", []).append(by_pipeline(model, comments, folder / "pipeline.parquet"))
            for way in ways:
                turns.setdefault(str(way), []).append(by_engine(run, predictor, way))
                for shape, took in time_products(config).items():
                    products.setdefault(shape, []).extend(took)
        tokens = float(encode(chosen, tokenizer, LENGTH).lengths.mean())
    bound = limit(config, tokens, products)
    told = {name: _figures(found, turns["pipeline"], bound) for name, found in turns.items()}
    about = {"texts": texts, "tokens_a_text": round(tokens, 2), "accuracy": accuracy, "load": os.getloadavg()}
    return about | {"limit": bound, "engines": told}


def _figures(ours: Sequence[Turn], theirs: Sequence[Turn], bound: dict[str, float]) -> dict[str, Any]:
    texts, pairs = len(ours[0].labels), [*zip(theirs, ours, strict=True)]
    by_clock = sorted(round(their.seconds / our.seconds, 2) for their, our in pairs)
    by_processor = sorted(round(their.processor / our.processor, 2) for their, our in pairs)
    a_second = texts / statistics.median(turn.processor for turn in ours)
    return {
        "texts_per_second": round(texts / statistics.median(turn.seconds for turn in ours), 1),
        "texts_per_processor_second": round(a_second, 1),
        "share_of_limit": round(a_second / bound["texts_per_processor_second_median"], 3),
        "ratio": statistics.median(by_clock),
        "ratios": by_clock,
        "ratio_by_processor": statistics.median(by_processor),
        "ratios_by_processor": by_processor,
        "agreement": float((ours[-1].labels == theirs[-1].labels).mean()),
    }


def whole(given: argparse.Namespace) -> dict[str, Any]:
    """Rows a second and peak memory of a file of comments, with duplicates dropped and without, a process for each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model or folder / "model"
        told: dict[str, Any] = {"accuracy": model_for(given.encoder, shuffled(given.data), model, given.steps)}
        source = given.comments.resolve()
        if given.limit:
            source = folder / "comments.parquet"
            pq.write_table(pq.read_table(given.comments).slice(0, given.limit), source)
        for kind in given.duplicates:
            words = [sys.executable, "-m", "benchmarks.infer_speed", str(folder), str(source), "--whole", kind]
            words += ["--model", str(model)]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            told[kind] = json.loads(done.stdout.splitlines()[-1])
    return told | {"load": os.getloadavg()}


def classify_whole(folder: Path, model: Path, comments: Path, duplicates: str) -> dict[str, Any]:
    """The result of infer; duplicates "kept": each text is classified as often as it occurs."""
    from stages.console.progress_bar import Terminal
    from stages.infer import deduplication, engine_selection, run_infer, shard_pipeline
    from stages.infer.shard_schema import key_numbers

    columns = {"id": "id", "time": "written_at", "author": "author", "source": "source"}
    there = pq.read_schema(comments).names
    given = {key: name for key, name in columns.items() if name in there}
    run, predictor = project(folder / duplicates, model, comments, given, 50_000)
    vars(run_infer)["final_predictor"] = lambda run: predictor
    if duplicates == "kept":
        real = key_numbers
        vars(shard_pipeline)["key_numbers"] = lambda keys: real(keys) * 0 + np.arange(len(keys))
        deduplication.DeduplicationIndex.where = lambda self, keys: np.full(len(keys), deduplication.NOWHERE)  # type: ignore[method-assign]
    choose, took = engine_selection.choose_engines, list[float]()

    def timed(*words: Any) -> Any:
        began = time.perf_counter()
        choice = choose(*words)
        took.append(round(time.perf_counter() - began, 1))
        return choice

    vars(run_infer)["choose_engines"] = timed
    result = run_infer.run_infer(replace(run, report=Terminal()))
    keys = {"rows", "unique", "seconds", "rows_per_second", "peak_rss_bytes", "engine", "precision"}
    figures = result.model_dump(include=keys)
    return figures | {"choosing_seconds": took[0], "processor_seconds": round(time.process_time(), 1)}


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300, help="of fine-tuning, 32 texts each")
    parser.add_argument("--model", type=Path, help="folder that keeps the fine-tuned model")
    parser.add_argument("--ways", nargs="*", help='such as "openvino bfloat16"; default: all there are here')
    parser.add_argument("--comments", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="rows of the comments; 0: all")
    parser.add_argument("--duplicates", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--whole", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    from stages.runtime.quiet_libraries import quiet_libraries

    quiet_libraries()
    if given.whole:
        told = classify_whole(given.encoder, given.model, given.data, given.whole)
    else:
        told = whole(given) if given.comments else race(given)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
