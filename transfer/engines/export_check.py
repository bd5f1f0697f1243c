"""Whether a converted model gives the probabilities of the model that it was made of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from transfer.encoders.tokenization import encode
from transfer.engines.convert import Format
from transfer.engines.engine_factory import Member, open_engine
from transfer.engines.inference_engine import EngineVariant
from transfer.engines.torch_engine import TorchEngine
from transfer.errors import UserError

# Of a probability: float32 sums in another order; a hundred times what was seen.
MOST_DIFFERENCE = 1e-3


def convert_checked(folder: Path, form: Format, texts: Sequence[str], max_length: int) -> float:
    """Writes the classifier of `folder` in another form into `folder`/`form`, and compares it with torch in float32.

    texts: cleaned, at least one; max_length: tokens read of each. Returns the largest difference of a probability.
    Raises UserError where the extra is not installed, the model cannot be converted, or the two disagree.
    """
    converted = open_engine(EngineVariant(form, "float32"), Member(folder, max_length, folder))
    original = TorchEngine(folder, max_length)
    found = converted.classify(encode(texts, original.tokenizer, original.max_length))
    difference = float(np.abs(found - original.probabilities(texts)).max())
    if not difference <= MOST_DIFFERENCE:  # NaN, too
        raise UserError(
            f"{folder.name}: its {form} form gives probabilities that differ by {difference:.2g} from torch's",
            f"at most {MOST_DIFFERENCE:g} is let pass; export without --format {form}",
        )
    return difference
