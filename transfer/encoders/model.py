"""Pretrained encoders with a classification head: loading, their depth, and which layer a parameter belongs to."""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer.device.memory_release import release_memory
from transfer.encoders.hub import SAFELY, fetch_config, fetch_model
from transfer.errors import UserError, first_line

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

LAYER = re.compile(r"(?:^|[._])(?:layers?|h|blocks?)\.(\d+)\.")
# Their positions begin behind the padding's: RoBERTa and what was built on its code.
POSITIONS_BEHIND_PADDING = {
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "luke",
    "mpnet",
}
# For encoders without a limit of their own: as many as BERT takes.
LONGEST_OF_UNLIMITED = 512


def load_config(name: str) -> "PretrainedConfig":
    """The configuration of a folder or hub repository. Raises UserError where it cannot be had."""
    return _read_config(fetch_config(name), name)


def load_tokenizer(name: str) -> "PreTrainedTokenizerBase":
    """The tokenizer of a folder or hub repository. Raises UserError where it cannot be had."""
    from transformers import AutoTokenizer

    # Set explicitly, or the library warns after every fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    folder = fetch_config(name)
    with _explained(name, "its tokenizer cannot be loaded"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return tokenizer


def load_classifier(
    name: str | Path, labels: Sequence[str], *, seed: int, dropout: float | None = None, revision: str | None = None
) -> "PreTrainedModel":
    """An encoder with a head for `labels`, in float32 on the CPU.

    The head is initialised from `seed`, unless one was saved for the same labels in the same order: that one is kept.
    dropout, in [0, 1), takes the place of every dropout rate of the configuration; None leaves them as they are.
    No code of the repository is run. Raises UserError where the model cannot be had, is no encoder that transformers
    can classify with, or lacks weights of its encoder.
    """
    import torch

    release_memory()  # of the previous model: a search loads hundreds in one process
    folder = fetch_model(str(name), revision)
    config = _read_config(folder, str(name))
    saved_for = [label for _, label in sorted((int(i), label) for i, label in (config.id2label or {}).items())]
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    config.problem_type = "single_label_classification"
    if dropout is not None:
        _set_dropout(config, dropout)
    torch.manual_seed(seed)
    model, info = _load(folder, config, str(name))
    random = {*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])}
    _check_encoder(random, depth(config), str(name))
    if saved_for != list(labels) and not random.issuperset(_head(model)):
        torch.manual_seed(seed)
        _replace_head(model)
    return in_own_memory(model)


def in_own_memory(model: "PreTrainedModel") -> "PreTrainedModel":
    """The model with its tensors copied: as loaded they are the file itself, mapped, and would change with it."""
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.data.clone()
    return model


def depth(config: "PretrainedConfig") -> int:
    """Number of the encoder's layers with weights of their own, embeddings not counted."""
    if hasattr(config, "inner_group_num"):
        return int(config.inner_group_num)  # ALBERT goes through the same few layers again and again
    return int(getattr(config, "num_hidden_layers", 0) or getattr(config, "n_layers", 0))


def longest_input(config: "PretrainedConfig", tokenizer: "PreTrainedTokenizerBase") -> int:
    """Most tokens that the encoder takes, special tokens included."""
    positions = int(getattr(config, "max_position_embeddings", 0) or 0)
    if positions <= 0:
        positions = LONGEST_OF_UNLIMITED
    elif config.model_type in POSITIONS_BEHIND_PADDING:
        positions -= int(getattr(config, "pad_token_id", 0) or 0) + 1
    return int(min(positions, tokenizer.model_max_length))


def layer_of(parameter: str, layers: int) -> int:
    """Where a parameter stands, from the bottom: 0 the embeddings, 1 to `layers` the layers, `layers` + 1 the head.

    A pooler counts as the head.
    """
    found = LAYER.search(parameter)
    if found:
        return int(found.group(1)) + 1
    return 0 if "embed" in parameter else layers + 1


def _read_config(folder: Path, name: str) -> "PretrainedConfig":
    from transformers import AutoConfig

    with _explained(name, "transformers cannot read its config.json"):
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    return config


def _set_dropout(config: "PretrainedConfig", rate: float) -> None:
    """Sets every rate whose name has dropout in it: architectures agree on that word alone."""
    for field, value in vars(config).copy().items():
        if "dropout" in field and (value is None or isinstance(value, float | int)) and not isinstance(value, bool):
            setattr(config, field, rate)


def _load(folder: Path, config: "PretrainedConfig", name: str) -> "tuple[PreTrainedModel, Mapping[str, Any]]":
    import torch
    from transformers import AutoModelForSequenceClassification

    with _explained(name, "transformers cannot classify with it"):
        # A head of another width is expected; _check_encoder refuses any other difference of shape.
        loaded: tuple[PreTrainedModel, Mapping[str, Any]] = AutoModelForSequenceClassification.from_pretrained(
            folder, config=config, dtype=torch.float32, ignore_mismatched_sizes=True, output_loading_info=True, **SAFELY
        )
    return loaded


def _check_encoder(random: Collection[str], layers: int, name: str) -> None:
    """Raises UserError where weights of the encoder would silently be random ones."""
    lacking = sorted(key for key in random if layer_of(key, layers) <= layers)
    if lacking:
        raise UserError(
            f"candidate '{name}': its weights do not fit its config.json",
            f"{len(lacking)} of the encoder's tensors are missing or of another shape: {', '.join(lacking[:3])}",
            "download or save it again",
        )


def _head(model: "PreTrainedModel") -> "dict[str, torch.nn.Parameter]":
    """Parameters that are not the pretrained encoder's."""
    encoder = f"{model.base_model_prefix}."
    return {name: value for name, value in model.named_parameters() if not name.startswith(encoder)}


def _replace_head(model: "PreTrainedModel") -> None:
    import torch

    new = _head(type(model)(model.config))
    with torch.no_grad():
        for name, parameter in _head(model).items():
            parameter.copy_(new[name])


@contextmanager
def _explained(name: str, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the Rust side raises bare Exception, checks of fields a class of their own
        if "trust_remote_code" in str(error):
            raise UserError(
                f"candidate '{name}': it needs code from its own repository, which is never run here",
                "take a model of an architecture that transformers has built in",
            ) from error
        raise UserError(f"candidate '{name}': {what}", first_line(error)) from error
