"""Converted models give torch's logits, whatever number and length of texts; what is missing is named."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.tiny_encoders import ARCHITECTURES, LABELS, Encoder, easy_texts
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.encoders.tokenization import encode, pad
from transfer.engines import convert as converting
from transfer.engines.convert import Format, convert, is_installed, require
from transfer.engines.torch_engine import TorchEngine
from transfer.errors import UserError

TEXTS = [*easy_texts(20, 3)[0], "hm", "happy " * 30]


def logits_of(file: Path, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """By the library alone, as someone would who was handed the file."""
    given = {"input_ids": ids, "attention_mask": mask}
    if file.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(["logits"], given)[0])
    import openvino

    model = openvino.compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.asarray(model(given)["logits"])


@pytest.fixture(params=[*ARCHITECTURES, "modernbert"])
def folder(request: pytest.FixtureRequest, encoder: Encoder, tmp_path: Path) -> Path:
    source = encoder(request.param)
    load_classifier(source, LABELS, seed=1, dropout=0.3).save_pretrained(tmp_path / "kept")
    load_tokenizer(str(source)).save_pretrained(tmp_path / "kept")
    return tmp_path / "kept"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["openvino", "onnx"])
def test_a_converted_model_gives_torchs_probabilities(folder: Path, tmp_path: Path, form: Format) -> None:
    if not is_installed(form):
        pytest.skip(f"the extra {form} is not installed")
    engine = TorchEngine(folder)
    tokens = encode(TEXTS, engine.tokenizer, engine.max_length)
    expected = engine.probabilities(TEXTS)
    file = convert(folder, tmp_path / "made", form)
    for rows in (np.arange(len(TEXTS)), np.array([3]), np.array([20, 21, 5])):
        ids, mask = pad(tokens, rows)
        logits = logits_of(file, ids.numpy(), mask.numpy())
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(shares, expected[rows], atol=2e-5)


def test_what_was_converted_is_not_converted_again(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "model.onnx").write_bytes(b"whole")
    if not is_installed("onnx"):
        pytest.skip("the extra onnx is not installed")
    assert convert(tmp_path / "gone", tmp_path / "made", "onnx").read_bytes() == b"whole"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "find_spec", lambda module: None)
    with pytest.raises(UserError, match=r"moodline\[openvino\]"):
        require("openvino")


def test_a_model_that_cannot_be_converted_leaves_nothing_behind(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed("onnx"):
        pytest.skip("the extra onnx is not installed")

    def fails(*_: object) -> None:
        raise RuntimeError("unsupported operator\nmore")

    monkeypatch.setattr(converting, "_to_onnx", fails)
    with pytest.raises(UserError, match="unsupported operator"):
        convert(encoder("bert"), tmp_path / "made", "onnx")
    assert not list(tmp_path.glob("made*"))
