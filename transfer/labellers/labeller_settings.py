"""What a plan says about its labeller: which LLM, reached how, asked with which prompt.

Light on purpose: the plan imports this module, so nothing heavy may be imported here.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from transfer.errors import UserError, UserErrors
from transfer.labellers.prompt import PromptSettings, check_prompt
from transfer.labellers.tuning_settings import Quantisation, TuningSettings, check_local

WHERE = "pseudo_label.labeller"


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
        "none",
        description="weights of a local model in fewer bits, with the extra `quantised`: none, int8 or 4bit",
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
    """What can be seen to be wrong without a model, a server or a network.

    where: the plan's key of the settings, put in front of every message.
    """
    problems = check_prompt(settings.prompt, labels, f"{where}.prompt")
    if settings.base_url is not None and not settings.base_url.startswith(("http://", "https://")):
        address = f"{where}.base_url: '{settings.base_url}' is no address of a server"
        problems.insert(0, UserError(address, "as in http://localhost:8000/v1"))
    if settings.teacher is not None and (settings.model or settings.base_url):
        both = UserError(
            f"{where}.teacher: '{settings.teacher}' stands beside {'model' if settings.model else 'base_url'}",
            "a teacher labels in place of an LLM: name one of them",
        )
        problems.insert(0, both)
    elif settings.teacher is not None and settings.prompt != PromptSettings():
        unread = UserError(f"{where}.prompt: a teacher reads no prompt", "leave it out, or take an LLM")
        problems.insert(0, unread)
    elif settings.teacher is None and not settings.model:
        missing = UserError(
            f"{where}.model: not given",
            "a causal LM by hub name or folder, as in google/gemma-3-4b-it",
            "or, with base_url, the name that the server has for it; with no LLM at all, teacher: ensemble",
        )
        problems.insert(0, missing)
    is_local = settings.base_url is None and settings.teacher is None
    return problems + check_local(settings.quantisation, settings.tuning, settings.dtype, is_local, where)


def require_labeller(settings: LabellerSettings, labels: Sequence[str], where: str) -> None:
    """Raises UserError, or UserErrors for several, where check_labeller finds any."""
    problems = check_labeller(settings, labels, where)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise UserErrors(f"{where}: {len(problems)} problems", problems)
