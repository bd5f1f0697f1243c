"""What a plan says about changing a local LM: its weights in fewer bits, and what it learns before it labels.

Light on purpose: the plan imports this module, so nothing heavy may be imported here.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from transfer.errors import UserError

Quantisation = Literal["none", "int8", "4bit"]
# AdamW's highest rate. Of a soft prompt it is relative to the size of the model's own embeddings, which differs by two
# orders of magnitude between models.
RATES = {"prompt": 0.05, "lora": 2e-4}


class TuningSettings(BaseModel):
    """How a local LM is tuned to label: with the scores that labelling uses, and only if that helps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["prompt", "lora"] = Field(
        "prompt", description="prompt: virtual tokens in front of the prompt; lora: small matrices beside the weights"
    )
    virtual_tokens: int = Field(20, ge=1, le=500, description="length of the soft prompt, in tokens")
    rank: int = Field(8, ge=1, le=256, description="rank of LoRA's matrices")
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="highest rate of AdamW; for prompt as a share of the embeddings' size; null: 0.05 for prompt, "
        "2e-4 for lora",
    )
    epochs: int = Field(5, ge=1, le=100, description="passes over the rows learnt from, at most")
    patience: int = Field(2, ge=1, le=100, description="epochs without a lower loss on held-out rows before it ends")
    batch: int = Field(16, ge=1, le=1024, description="rows per optimiser step")
    sample: int = Field(
        1000, ge=1, description="rows of original train learnt from, as many of each label as there are"
    )
    held_out: int = Field(
        200, ge=1, description="further rows of original train that end the tuning; as many again judge it without gold"
    )
    judge: Literal["auto", "gold", "original"] = Field(
        "auto",
        description="on what the gain over the plain prompt is measured: gold's tune half, held-out rows of original "
        "train, or auto: gold from 50 rows on",
    )

    @property
    def rate(self) -> float:
        """The highest learning rate, given or usual."""
        return RATES[self.kind] if self.learning_rate is None else self.learning_rate


def check_local(
    quantisation: Quantisation, tuning: TuningSettings | None, dtype: str, is_local: bool, where: str
) -> list[UserError]:
    """What is wrong with settings that only a local model takes. is_local: whether the labeller is one."""
    if is_local and tuning is not None and dtype == "float16":
        small = "in float16 small gradients are 0: set dtype: float32, bfloat16 or auto"
        return [UserError(f"{where}.tuning: cannot learn with dtype: float16", small)]
    given = {"quantisation": quantisation != "none", "tuning": tuning is not None}
    return [
        UserError(f"{where}.{key}: only for a local model", "leave it out with base_url or teacher")
        for key, is_given in given.items()
        if is_given and not is_local
    ]
