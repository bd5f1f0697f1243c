"""An inference as people read it."""

import pytest

from stages.console.show_run import show_inference
from stages.results.infer_result import InferResult, UnreadableInput

RESULT = InferResult(
    rows=12_000,
    unique=9_000,
    skipped={},
    seconds=6.0,
    rows_per_second=2_000,
    peak_rss_bytes=512_000_000,
    engine="onnx",
    precision="int8",
    shards=("shards/a/0.parquet",),
    model="abc",
)


def test_what_was_classified_by_what_and_how_fast_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_inference(RESULT)
    out = " ".join(capsys.readouterr().out.split())
    assert out == (
        "12,000 comments, 9,000 different texts read by onnx int8, 2,000.0 a second, peak memory 512 MB, 1 shards"
    )


def test_what_was_left_out_is_counted_and_where_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    show_inference(RESULT.model_copy(update={"skipped": {"empty text": 1_200}}))
    assert "left out: 1,200 × empty text\n" in capsys.readouterr().out
    fault = UnreadableInput(file="a.csv", line=3, what="no JSON")
    show_inference(RESULT.model_copy(update={"skipped": {"broken row": 1}, "faults": (fault,)}))
    assert "1 × broken row; see results/skipped.jsonl" in " ".join(capsys.readouterr().out.split())
