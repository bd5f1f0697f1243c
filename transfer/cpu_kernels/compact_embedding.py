"""A word embedding that trains only the rows its training texts use: a few thousand of 30,000, or of 250,000."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from transfer.encoders.tokenization import Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class CompactEmbedding(nn.Embedding):
    """Takes the place of an embedding: ids stay those of the tokenizer, the parameter has `rows` alone.

    Gradient, optimiser state, clipping and checkpoints then cost what the texts use. The other rows never have a
    gradient; they stay as pretrained (AdamW would only shrink them, by a factor of 1 - rate · decay a step) and are
    read where a text to be classified holds them. Its state_dict is that of the whole embedding, so that
    a model is saved as if nothing had been taken out; it loads the whole or its own rows.
    """

    def __init__(self, whole: nn.Embedding, rows: torch.Tensor) -> None:
        """rows: (R,) int64, ascending, the padding's among them."""
        nn.Module.__init__(self)
        self.num_embeddings, self.embedding_dim = whole.num_embeddings, whole.embedding_dim
        self.max_norm, self.norm_type = None, 2.0
        self.scale_grad_by_freq = self.sparse = False
        table = whole.weight.detach()
        self.place: torch.Tensor
        self.whole: torch.Tensor
        self.register_buffer("whole", table, persistent=False)  # (V, D), as pretrained
        place = torch.full((whole.num_embeddings,), -1, dtype=torch.int64, device=table.device)
        place[rows] = torch.arange(len(rows), device=table.device)
        self.register_buffer("place", place, persistent=False)  # (V,), -1 where the row is not among `rows`
        self.padding_idx = whole.padding_idx
        self.padding_place = None if whole.padding_idx is None else int(place[whole.padding_idx])
        self.weight = nn.Parameter(table[rows].clone())  # (R, D)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(..., D) of ids (...)."""
        places = self.place[input]
        if self.training or bool((places >= 0).all()):  # in training only `rows` occur; .all() makes a GPU wait
            return nn.functional.embedding(places, self.weight, self.padding_place)
        trained = nn.functional.embedding(places.clamp(min=0), self.weight, self.padding_place)
        return torch.where((places >= 0).unsqueeze(-1), trained, self.whole[input])

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        table = self.whole.clone()
        table[self.place >= 0] = self.weight.detach()
        destination[f"{prefix}weight"] = table

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> None:
        given = state_dict.get(f"{prefix}weight")
        if given is not None and len(given) == self.num_embeddings > len(self.weight):
            state_dict = {**state_dict, f"{prefix}weight": given[self.place >= 0]}
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def use_compact_embedding(model: "PreTrainedModel", tokens: Tokens) -> None:
    """Has `model` train only the word embeddings of `tokens`, where that changes nothing else.

    The embedding stays whole where its class is not torch's own, where another part of the model shares it, where it is
    frozen, and where the model is wrapped (LoRA).
    """
    whole = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
    if type(whole) is not nn.Embedding or whole.max_norm is not None or hasattr(model, "peft_config"):
        return
    same = [name for name, value in model.named_parameters(remove_duplicate=False) if value is whole.weight]
    if len(same) != 1 or not whole.weight.requires_grad:
        return
    padding = [tokens.pad_id] if whole.padding_idx is None else [tokens.pad_id, whole.padding_idx]
    rows = np.union1d(tokens.flat, padding).astype(np.int64)
    model.set_input_embeddings(CompactEmbedding(whole, torch.from_numpy(rows).to(whole.weight.device)))
