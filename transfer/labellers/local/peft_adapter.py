"""An adapter of a causal LM, by peft: a soft prompt (virtual tokens) or LoRA. Saved as peft saves it.

A soft prompt is in front of everything, the beginning of text included, as peft puts it; LoRA is not merged into the
weights, for in 16 or 8 bits the sum would lose most of it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from transfer.encoders.lora import ALPHA_PER_RANK
from transfer.errors import UserError
from transfer.labellers.labeller_settings import TuningSettings
from transfer.labellers.local.label_likelihood import reuses_cache

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WEIGHTS = "adapter_model.safetensors"  # peft's names
CONFIG = "adapter_config.json"
NAME = "default"


@dataclass(frozen=True)
class Adapter:
    """A saved adapter.

    kind: prompt or lora. virtual: tokens of a soft prompt, else 0. content: sha256 of its weights, in hex.
    """

    folder: Path
    kind: str
    virtual: int
    content: str

    @property
    def description(self) -> dict[str, object]:
        """Kind and content, wherever its folder is."""
        return {"kind": self.kind, "content": self.content}

    @classmethod
    def of(cls, folder: Path) -> "Adapter":
        """The adapter in `folder`. Raises UserError where there is none."""
        if not all((folder / name).is_file() for name in (WEIGHTS, CONFIG)):
            raise UserError(f"{folder}: no adapter here", f"{WEIGHTS} and {CONFIG}, as peft saves them, are needed")
        virtual = int(json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("num_virtual_tokens") or 0)
        with (folder / WEIGHTS).open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(folder, "prompt" if virtual else "lora", virtual, content)


@dataclass(frozen=True)
class Attached:
    """A model with an adapter in place.

    wrapped: peft's model, which holds the trained parameters. model: the causal LM inside, LoRA included.
    virtual: (V, E) float32, the soft prompt, or None.
    """

    wrapped: Any
    model: "PreTrainedModel"
    virtual: torch.Tensor | None

    def state(self) -> Mapping[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in self._trained()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, value in self._trained():
                value.copy_(state[name])

    def parameters(self) -> list[torch.nn.Parameter]:
        return [value for _, value in self._trained()]

    def save(self, folder: Path) -> None:
        """Writes adapter_model.safetensors and adapter_config.json into `folder`."""
        self.wrapped.save_pretrained(folder, save_embedding_layers=False)

    def _trained(self) -> list[tuple[str, torch.nn.Parameter]]:
        return [(name, value) for name, value in self.wrapped.named_parameters() if value.requires_grad]


def new_adapter(model: "PreTrainedModel", settings: TuningSettings, start: Sequence[int], name: str) -> Attached:
    """`model` with an untrained adapter, from torch's random state. The model's own weights are frozen.

    start: token ids whose embeddings initialise the virtual tokens, from the first again where there are too few.
    name: of the model, for the adapter's configuration.
    Lester et al., The Power of Scale for Parameter-Efficient Prompt Tuning (2021); Hu et al., LoRA (2021).
    """
    from peft import LoraConfig, PromptTuningConfig, get_peft_model

    if settings.kind == "lora":
        rank, known = settings.rank, dict[str, Any](task_type="CAUSAL_LM", base_model_name_or_path=name)
        lora = LoraConfig(r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules=_linear_maps(model), **known)
        return _attached(get_peft_model(model, lora))
    words = _embeddings(model, start)  # (S, E)
    soft = PromptTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=settings.virtual_tokens,
        token_dim=words.shape[1],
        # peft asks for these and, for a soft prompt, uses neither
        num_layers=1,
        num_attention_heads=1,
        base_model_name_or_path=name,
    )
    attached = _attached(get_peft_model(model, soft))
    assert attached.virtual is not None
    with torch.no_grad():
        attached.virtual.copy_(words[torch.arange(settings.virtual_tokens) % len(words)])
    return attached


def attach(model: "PreTrainedModel", adapter: Adapter) -> Attached:
    """`model` with a saved adapter. LoRA is put into the model itself."""
    from peft import PeftModel

    wrapped: Any = PeftModel.from_pretrained(model, str(adapter.folder), adapter_name=NAME, is_trainable=False)
    return _attached(wrapped)


def embedding_size(model: "PreTrainedModel", start: Sequence[int]) -> float:
    """Root mean square of the embeddings of `start`."""
    return float(_embeddings(model, start).square().mean().sqrt())


def _attached(wrapped: Any) -> Attached:
    wrapped.eval()  # with dropout, tuning would score otherwise than labelling
    is_soft = wrapped.active_peft_config.is_prompt_learning
    virtual = wrapped.prompt_encoder[NAME].embedding.weight if is_soft else None
    return Attached(wrapped, cast("PreTrainedModel", wrapped.get_base_model()), virtual)


def _embeddings(model: "PreTrainedModel", ids: Sequence[int]) -> torch.Tensor:
    embed: Any = model.get_input_embeddings()
    with torch.no_grad():
        found: torch.Tensor = embed(torch.tensor(list(ids), device=model.device)).float()
    return found


def _linear_maps(model: "PreTrainedModel") -> list[str]:
    """Names of the linear maps in the language model's layers, without those of a vision part.

    And without those of a recurrent model whose weights its kernels read past LoRA; peft refuses the first.
    """
    from transformers.pytorch_utils import Conv1D

    any_model: Any = model  # transformers leaves these two without types
    inside = {id(module) for module in (any_model.get_decoder() or model).modules()}
    head, refused = any_model.get_output_embeddings(), () if reuses_cache(model) else ("out_proj", "dt_proj")
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and id(module) in inside and module is not head
        if name.rpartition(".")[2] not in refused
    ]
