"""A converted model is held to the one it was made of, and one that says something else is refused."""

import shutil
from pathlib import Path

import pytest

from tests.helpers.tiny_encoders import LABELS, LONGEST, easy_texts, save_encoder
from transfer.encoders.model import load_classifier, load_tokenizer
from transfer.engines.convert import FILES, Format, convert
from transfer.engines.export_check import convert_checked
from transfer.errors import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
FORMS: tuple[Format, ...] = ("onnx", "openvino")
TEXTS = [*easy_texts(20, seed=1)[0], "a", "the " * 80]


def classifier(folder: Path, seed: int) -> Path:
    """A folder as a trial leaves it, its head unlike that of another seed."""
    start = save_encoder("bert", folder / f"encoder-{seed}", seed=seed)
    made = folder / f"classifier-{seed}"
    load_classifier(str(start), LABELS, seed=seed, dropout=0.1).save_pretrained(made)
    load_tokenizer(str(start)).save_pretrained(made)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_both_forms_say_the_same_of_texts_of_any_length(tmp_path: Path, form: Format) -> None:
    folder = classifier(tmp_path, seed=0)
    assert convert_checked(folder, form, TEXTS, LONGEST) < 1e-5
    assert (folder / form / FILES[form]).is_file()


@pytest.mark.slow
def test_a_form_that_says_something_else_is_refused(tmp_path: Path) -> None:
    folder, other = classifier(tmp_path, seed=0), classifier(tmp_path, seed=1)
    convert(other, tmp_path / "other", "openvino")
    shutil.copytree(tmp_path / "other", folder / "openvino")
    with pytest.raises(UserError, match="differ by"):
        convert_checked(folder, "openvino", TEXTS, LONGEST)
