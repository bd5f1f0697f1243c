"""Time to compute the line: all estimates, all intervals, page and picture, from shards of generated classified rows.

    python benchmarks/line_speed.py --rows 3100000
    python benchmarks/line_speed.py --rows 250000      # to compare its peak memory with the one above
    python benchmarks/line_speed.py --words            # also the time for the words, with generated texts

Shards of 50,000 rows, four labels, four years of days, authors as uneven as real ones, 20,000 sources; 400 gold rows.
The forecast and its backtest are included. Prints one JSON object. Wall seconds depend on the machine's other load;
CPU seconds are this process's.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.monitor.aggregation.aggregate import daily_line
from stages.monitor.analysis.distinctive_words import distinctive_words
from stages.monitor.analysis.forecast import forecasts
from stages.monitor.analysis.outlier_periods import outlier_periods
from stages.monitor.analysis.word_sample import Span, sample_comments
from stages.monitor.report.csv_parquet import write_csv, write_parquet, write_sources
from stages.monitor.report.html_page import write_page
from stages.monitor.report.page_context import Context
from stages.monitor.report.png_figure import draw_png
from stages.monitor.schema.calendar import next_start
from stages.monitor.schema.index_settings import IndexSettings, WordsSettings
from stages.monitor.schema.line import Line
from stages.monitor.schema.method_choice import GoldPredictions
from transfer.corpus.comment_lookup import texts_by_id
from transfer.tables.sources import CommentSource
from transfer.text.cleaning import key_hash

LABELS = ("anger", "sadness", "neutral", "happiness")
WEIGHTS = dict(zip(LABELS, (-1.0, -1.0, 0.0, 1.0), strict=True))
SHARD = 50_000
START = np.datetime64("2020-01-01", "us").astype(np.int64)
DAY = 86_400_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_100_000)
    parser.add_argument("--days", type=int, default=1461)
    parser.add_argument("--bootstrap", type=int, default=200)
    parser.add_argument("--words", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shards = make_shards(Path(folder), given.rows, given.days)
        print(json.dumps(measure(shards, Path(folder), given.bootstrap, given.words), indent=1))


def make_shards(folder: Path, rows: int, days: int) -> list[Path]:
    """Classified rows in the format of `infer`'s shards."""
    rng, paths = np.random.default_rng(1), []
    texts = some_texts(rng)
    keys = np.array([int.from_bytes(bytes.fromhex(key_hash(text)), "big", signed=True) for text in texts])
    for first in range(0, rows, SHARD):
        n = min(SHARD, rows - first)
        probabilities, _ = read_by_a_model(rng, n)
        columns = {
            "id": np.char.add("c", (np.arange(n) + first).astype(str)),
            "time": pa.array(START + rng.integers(0, days * DAY, n), pa.timestamp("us", tz="UTC")),
            "author": np.char.add("author ", (900_000 * rng.random(n) ** 3).astype(int).astype(str)),
            "source": np.char.add("video ", rng.integers(0, 20_000, n).astype(str)),
            "label": np.array(LABELS)[probabilities.argmax(axis=1)],
        }
        text = rng.integers(0, len(texts), n)
        columns["key"] = keys[text]
        comments = {"id": columns["id"], "text": pa.array(texts).take(pa.array(text))}
        pq.write_table(pa.table(comments), folder / f"comments-{first:08d}.parquet", compression="zstd")
        columns |= {f"p_{label}": pa.array(probabilities[:, k], pa.float32()) for k, label in enumerate(LABELS)}
        paths.append(folder / f"{first:08d}.parquet")
        pq.write_table(pa.table(columns), paths[-1], compression="zstd")
    return paths


def some_texts(rng: np.random.Generator) -> list[str]:
    """20,000 texts of 12 words each, of 30,000 words with frequencies as in real text."""
    words = np.minimum(rng.zipf(1.3, (20_000, 12)), 30_000)
    return [" ".join(f"word{spelt(word)}" for word in row) for row in words.tolist()]


def spelt(number: int) -> str:
    """The number in letters, because digits are not counted as words."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


def read_by_a_model(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, K) and the truth (N,) behind them; some 70 % are right."""
    truth = rng.integers(0, len(LABELS), n)
    scores = rng.normal(size=(n, len(LABELS)))
    scores[np.arange(n), truth] += 1.7
    odds = np.exp(2 * scores)
    return odds / odds.sum(axis=1, keepdims=True), truth


def measure(shards: list[Path], folder: Path, bootstrap: int, words: bool) -> dict[str, object]:
    """Seconds of the line and of its files, and the peak memory."""
    probabilities, truth = read_by_a_model(np.random.default_rng(2), 400)
    gold = GoldPredictions("gold", truth, probabilities, np.ones(400), True)
    settings = IndexSettings(
        weights=WEIGHTS, every=["day", "week", "month"], timezone="Asia/Seoul", bootstrap=bootstrap
    )
    wall, cpu = time.perf_counter(), time.process_time()
    line = daily_line(shards, LABELS, settings, 13, gold=gold)
    line_wall, line_cpu = time.perf_counter() - wall, time.process_time() - cpu
    write_csv(line, folder / "line.csv")
    write_parquet(line, folder / "line.parquet")
    before = time.process_time()
    context = Context(forecasts=forecasts(line))
    forecast_cpu = time.process_time() - before
    write_sources(line, folder / "sources.csv")
    draw_png(line, folder / "line.png", context=context)
    write_page(line, [], {}, folder / "line.html", context=context)
    all_wall, all_cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "rows": line.n,
        "periods": len(line.periods),
        "drawn": sum(not period.is_gap for period in line.periods),
        "methods": line.choice.methods,
        "line_wall_seconds": round(line_wall, 1),
        "line_cpu_seconds": round(line_cpu, 1),
        "forecast_cpu_seconds": round(forecast_cpu, 1),
        "all_wall_seconds": round(all_wall, 1),
        "all_cpu_seconds": round(all_cpu, 1),
        **(time_words(line, shards, folder) if words else {}),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def time_words(line: Line, shards: list[Path], folder: Path) -> dict[str, object]:
    """Seconds of sampling comments, finding their texts and counting their words."""
    wall, cpu, settings = time.perf_counter(), time.process_time(), WordsSettings()
    periods = [one for every in line.settings.every for one in outlier_periods(line, every, settings.periods)]
    spans = [Span(first := np.datetime64(p.start), next_start(first, p.every)) for p in periods]
    sample = sample_comments(shards, LABELS, line.settings.timezone, spans, line.removed.comments)
    sources = [CommentSource(path="comments-*.parquet", id="id")]
    texts = texts_by_id(sources, folder, sample.column("id").combine_chunks())
    found = distinctive_words(sample, texts, LABELS, periods, settings)
    return {
        "words_read": found.read,
        "words_periods": len(periods),
        "words_wall_seconds": round(time.perf_counter() - wall, 1),
        "words_cpu_seconds": round(time.process_time() - cpu, 1),
    }


if __name__ == "__main__":
    main()
