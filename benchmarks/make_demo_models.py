"""The demo's tiny models: pretrains three encoders and the stand-in LM of each language on the demo's own texts.

python -m benchmarks.make_demo_models [--languages en ko] [--out stages/demo/data/models]
One minute per language on one core. The weights that the package carries were made by it. With the same versions of
torch and transformers on a processor of the same kind, it writes the same files again.
"""

import argparse
import time
from pathlib import Path

import transformers

from benchmarks.demo_models import masked_lms, stand_in_lm
from benchmarks.demo_models.masked_lms import ENCODERS, make_encoder
from benchmarks.demo_models.pretraining_texts import diary_lines, unlabelled_texts
from benchmarks.demo_models.stand_in_lm import make_stand_in
from benchmarks.demo_models.training_loop import one_thread
from stages.demo.corpus import FULL, LANGUAGES, make_corpus
from stages.demo.make_demo import MODELS

SEED = 13
VOCABULARY, HIDDEN = 2_000, 64
DIARY = 7_000  # rows


def make_models(language: str, folder: Path) -> None:
    """The four models of a language, each in a folder of its own below `folder`."""
    texts = unlabelled_texts(make_corpus(language, SEED, FULL), language, SEED)
    diary = diary_lines(language, SEED, DIARY)
    with one_thread():
        for kind in ENCODERS:
            make_encoder(kind, texts, folder / kind, masked_lms.TRAINING, vocabulary=VOCABULARY, hidden=HIDDEN)
        make_stand_in(diary, language, folder / "gemma", stand_in_lm.TRAINING, vocabulary=VOCABULARY, hidden=HIDDEN)


def main() -> None:
    """Makes the models and prints seconds and bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--out", type=Path, default=MODELS)
    given = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    for language in given.languages:
        start = time.perf_counter()
        make_models(language, given.out / language)
        size = sum(file.stat().st_size for file in (given.out / language).rglob("*") if file.is_file())
        print(f"{language}: {size:,} bytes in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
