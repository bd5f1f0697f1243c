"""An adapter changes the model's scores and gradients as peft's own does."""

from collections.abc import Sequence

import pytest
import torch

from tests.helpers.adapted_lms import TEXTS, MakeLm, labeller_of, probabilities, with_adapter
from transfer.labellers.local.label_likelihood import encode_shared, label_scores, traced_scores
from transfer.labellers.local.peft_adapter import Attached


@pytest.mark.parametrize(
    ("kind", "adapter"),
    [
        *(("gemma3", "prompt"), ("gemma3", "lora")),
        *(("gpt2", "prompt"), ("gpt2", "lora")),
        ("bloom", "prompt"),
        ("mamba", "lora"),  # without a cache; a random one forgets what stands in front
    ],
)
def test_an_adapter_scores_as_peft_itself_reads_the_whole_text(tunable_lm: MakeLm, kind: str, adapter: str) -> None:
    labeller = labeller_of(tunable_lm(kind))
    plain = probabilities(labeller, TEXTS)
    attached = with_adapter(labeller, adapter)
    task = labeller.task(TEXTS, 5 if adapter == "prompt" else 0)
    shared = encode_shared(attached.model, task.beginning, attached.virtual)
    found = label_scores(attached.model, task.prompts, task.labels, shared)
    rows = [[_read_by_peft(attached, ids, label) for label in task.labels] for ids in task.prompts]
    whole = torch.tensor(rows, dtype=torch.float64)
    assert torch.allclose(found.double(), whole, atol=1e-3)
    assert (found.double().softmax(-1) - plain).abs().max() > 0.01  # the adapter matters, so a mistake would show
    traced = traced_scores(attached.model, task.prompts, task.labels, task.beginning, attached.virtual)
    assert torch.allclose(traced.detach().cpu(), found, atol=1e-3)


def _read_by_peft(attached: Attached, ids: Sequence[int], label: Sequence[int]) -> float:
    whole = torch.tensor([[*ids, *label]])
    with torch.inference_mode():
        logits = attached.wrapped(input_ids=whole, use_cache=False).logits.double().log_softmax(-1)
    at = logits[0, -len(label) - 1 : -1]
    return float(at.gather(-1, torch.tensor(label)[:, None]).sum())


@pytest.mark.parametrize("kind", ["gemma3", "mamba"])
@pytest.mark.parametrize("adapter", ["prompt", "lora"])
def test_gradients_pass_through_the_shared_beginning(tunable_lm: MakeLm, kind: str, adapter: str) -> None:
    labeller = labeller_of(tunable_lm(kind))
    attached = with_adapter(labeller, adapter)
    task = labeller.task(TEXTS[:2])

    def total(beginning: Sequence[int]) -> torch.Tensor:
        return traced_scores(attached.model, task.prompts, task.labels, beginning, attached.virtual).sum()

    shared = torch.autograd.grad(total(task.beginning), attached.parameters())
    alone = torch.autograd.grad(total(task.beginning[:1]), attached.parameters())  # nearly all is read with each text
    for one, other in zip(shared, alone, strict=True):
        assert torch.allclose(one, other, rtol=1e-2, atol=1e-2 * float(other.abs().max()))
