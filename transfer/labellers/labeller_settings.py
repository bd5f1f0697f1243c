"""A plan's settings of a labeller: which LLM, reached how, with which prompt, and how a local LM is changed.

Light on purpose: the plan imports this module, so nothing heavy may be imported here.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from transfer.errors import UserError, raise_all
from transfer.labellers.prompt import PromptSettings, check_prompt

WHERE = "pseudo_label.labeller"
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
        return RATES[self.kind] if self.learning_rate is None else self.learning_rate


class Prices(BaseModel):
    """What a server's tokens cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0, description="money for a million tokens that the LLM reads")
    output: float = Field(ge=0, description="money for a million tokens that the LLM writes")
    currency: str = Field("USD", min_length=1, max_length=12, description="what the prices are in")

    def of(self, tokens: int, written: int) -> float:
        """Money for `tokens` in all, of which `written` were written."""
        return ((tokens - written) * self.input + written * self.output) / 1e6


class LabellerSettings(BaseModel):
    """A causal LM on this machine (`model` alone), an OpenAI-compatible server (`base_url` and `model`), or stage one's
    own models (`teacher` alone)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(
        None, description="a causal LM: hub name or folder; with base_url, the server's name for it"
    )
    base_url: str | None = Field(
        None, description="address of an OpenAI-compatible server, as in http://localhost:8000/v1; null: local"
    )
    teacher: Literal["ensemble"] | None = Field(
        None,
        description="ensemble: the mean of stage one's best kept trials labels, in place of an LLM; null: an LLM does",
    )
    api_key_env: str = Field(
        "OPENAI_API_KEY", description="environment variable that holds the server's key; unset: no key is needed"
    )
    revision: str | None = Field(None, description="branch, tag or commit of a hub model; null: its main branch")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="number format of a local model; auto: bfloat16 where that is faster, else float32"
    )
    quantisation: Quantisation = Field(
        "none", description="weights of a local model in fewer bits, with the extra `quantised`: none, int8 or 4bit"
    )
    tuning: TuningSettings | None = Field(
        None, description="a soft prompt or LoRA for a local model, learnt from original train; null: the plain prompt"
    )
    batch_tokens: int = Field(
        16_384, ge=1, description="tokens that a local model reads at a time, prompt and padding included"
    )
    concurrency: int = Field(16, ge=1, le=256, description="requests under way at a time")
    timeout: float = Field(60.0, gt=0, description="seconds that one request may take")
    retries: int = Field(5, ge=0, le=20, description="how often a request is tried again after a fault that may pass")
    constrain: Literal["auto", "none"] = Field(
        "auto", description="auto: a server that can is told to answer with nothing but a label; none: it is not"
    )
    prices: Prices | None = Field(
        None, description="what a server's tokens cost, as in {input: 0.1, output: 0.4}; null: money is not told"
    )
    length_normalised: bool = Field(
        False, description="divide a label's log-probability by its number of tokens (local models)"
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="further fields of each request's body, for servers that know more"
    )
    prompt: PromptSettings = Field(default_factory=PromptSettings, description="what the LLM is asked")


def check_labeller(settings: LabellerSettings, labels: Sequence[str], where: str = WHERE) -> list[UserError]:
    """All problems that show without a model, a server or a network.

    where: the plan's key of the settings, put in front of every message.
    """
    teacher, problems = settings.teacher, list[tuple[str, ...]]()
    if teacher is not None and (settings.model or settings.base_url):
        beside = f"{where}.teacher: '{teacher}' stands beside {'model' if settings.model else 'base_url'}"
        problems.append((beside, "a teacher labels in place of an LLM: name one of them"))
    elif teacher is not None and settings.prompt != PromptSettings():
        problems.append((f"{where}.prompt: a teacher reads no prompt", "leave it out, or take an LLM"))
    elif teacher is None and not settings.model:
        llm = "a causal LM by hub name or folder, as in google/gemma-3-4b-it"
        other = "or, with base_url, the name that the server has for it; with no LLM at all, teacher: ensemble"
        problems.append((f"{where}.model: not given", llm, other))
    if settings.base_url is not None and not settings.base_url.startswith(("http://", "https://")):
        address = f"{where}.base_url: '{settings.base_url}' is no address of a server"
        problems.append((address, "as in http://localhost:8000/v1"))
    of_prompt = check_prompt(settings.prompt, labels, f"{where}.prompt")
    return [*(UserError(*problem) for problem in problems), *of_prompt, *_check_local(settings, where)]


def require_labeller(settings: LabellerSettings, labels: Sequence[str], where: str) -> None:
    """Raises UserError, or UserErrors for several, where check_labeller finds any."""
    problems = check_labeller(settings, labels, where)
    raise_all(f"{where}: {len(problems)} problems", problems)


def _check_local(settings: LabellerSettings, where: str) -> list[UserError]:
    given = {"quantisation": settings.quantisation != "none", "tuning": settings.tuning is not None}
    if settings.base_url is None and settings.teacher is None:
        small = "in float16 small gradients are 0: set dtype: float32, bfloat16 or auto"
        problem = UserError(f"{where}.tuning: cannot learn with dtype: float16", small)
        return [problem] if given["tuning"] and settings.dtype == "float16" else []
    advice = "leave it out with base_url or teacher"
    return [UserError(f"{where}.{key}: only for a local model", advice) for key, is_given in given.items() if is_given]
