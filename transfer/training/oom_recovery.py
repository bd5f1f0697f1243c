"""How many tokens go through a model at a time, and how that shrinks where the device's memory is not enough."""

import gc
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch

from transfer.device.device import token_budget
from transfer.encoders.tokenization import Indices

if TYPE_CHECKING:
    from transformers import PreTrainedModel

T = TypeVar("T")
GradientCheckpointing = Literal[True, False, "auto"]
# What devices and their libraries on_message; only torch's own allocators raise OutOfMemoryError.
OUT_OF_MEMORY = (
    "out of memory",  # CUDA, HIP, XPU, MPS
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "DefaultCPUAllocator",  # "can't allocate memory" or "not enough memory", by platform
)
ADVICE = (
    "lower max_length, freeze more layers, take method: lora, set search.gradient_checkpointing: true, "
    "or take a smaller candidate"
)


class NoRoomError(RuntimeError):
    """The device's memory is not enough even for one text at a time."""


class OomRecovery:
    """How many padded tokens go through a model at a time; halved whenever the device runs out of memory.

    tokens: to begin with; None for the device's default. checkpointing: whether activations are computed again in the
    backward pass instead of being kept (Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016): a third
    more time, much less memory, the same weights; "auto" turns to it when one text at a time is still too much.
    on_message: called with every change. One object serves training and prediction of a trial, so that both stay
    lowered.
    """

    def __init__(
        self,
        tokens: int | None = None,
        checkpointing: GradientCheckpointing = False,
        on_message: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.tokens = self.first = tokens or token_budget()
        self.checkpointing = checkpointing
        self.recomputes = checkpointing is True
        self.on_message = on_message

    @property
    def was_short(self) -> bool:
        """Whether the device ran out of memory, so that tokens or activations were reduced."""
        return self.tokens != self.first or (self.recomputes and self.checkpointing == "auto")

    def prepare(self, model: "PreTrainedModel") -> None:
        """Makes `model` recompute its activations where `recomputes` is set."""
        if self.recomputes and model.supports_gradient_checkpointing:
            # older releases know the second name alone; with reentrant checkpoints what stands on frozen layers learns
            # nothing
            enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
            enable({"use_reentrant": False})

    def fit(self, work: Callable[[], T], model: "PreTrainedModel", lengths: Indices) -> T:
        """The result of `work`, which is repeated from its beginning, with fewer tokens, where memory runs out.

        work: passes texts of `lengths` through `model`, `self.tokens` at a time; gradients that it left are cleared,
        and the random state is restored, so that the weights are those of a run without the fault.
        Raises NoRoomError where one text at a time is too much.
        """
        cpu, cuda = torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None
        while True:
            try:
                return work()
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # only here is the error gone, and with it the activations that its frames held
            model.zero_grad(set_to_none=True)
            gc.collect()
            torch.set_rng_state(cpu)
            if cuda is not None:
                torch.cuda.empty_cache()  # what is left in pieces too small for the next pass
                torch.cuda.set_rng_state(cuda)
            self._lower(model, lengths)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that a resumed trial splits its batches as the uninterrupted one."""
        return {"tokens": self.tokens, "first": self.first, "recomputes": self.recomputes}

    def restore(self, state: Mapping[str, Any], model: "PreTrainedModel") -> None:
        self.resume(state)
        self.prepare(model)

    def resume(self, state: Mapping[str, Any]) -> None:
        """Takes over a checkpoint's state; a budget that was lowered in the plan since stays lowered."""
        self.tokens = min(int(state["tokens"]), self.tokens)
        self.first = min(int(state.get("first", self.first)), self.first)  # another device's own is no shortage
        self.recomputes = self.recomputes or bool(state["recomputes"])

    def _lower(self, model: "PreTrainedModel", lengths: Indices) -> None:
        if self.tokens >= 2 * max(int(lengths.min()), 1):  # or every text goes alone already
            self.tokens //= 2
            self.on_message(
                f"out of memory: now {self.tokens} tokens at a time, gradients added up; examples per step are the same"
            )
        elif (
            self.checkpointing == "auto"
            and not self.recomputes
            and model.training
            and model.supports_gradient_checkpointing
        ):
            self.recomputes, self.tokens = True, self.first
            self.prepare(model)
            self.on_message("out of memory: from now on activations are recomputed (gradient checkpointing)")
        else:
            raise NoRoomError(f"out of memory with one text of {int(lengths.max())} tokens at a time; {ADVICE}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a device's memory, or this machine's, was not enough."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)
