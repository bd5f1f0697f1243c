"""Which labeller the settings mean. What it needs is imported only when it is made."""

from collections.abc import Sequence

from transfer.labellers.few_shot_examples import FewShotExamples
from transfer.labellers.labeller import Labeller
from transfer.labellers.labeller_settings import WHERE, LabellerSettings


def make_labeller(
    settings: LabellerSettings,
    labels: Sequence[str],
    device: str,
    where: str = WHERE,
    examples: FewShotExamples | None = None,
) -> Labeller:
    """The labeller that the settings name: a server where they give an address, else a local model on `device`.

    labels: the plan's, in its order. where: the plan's key of the settings, put in front of every message.
    examples: shown in prompts; None: those that the settings spell out.
    Raises UserError where the settings do not fit the labels or the labeller cannot be had. Weights are loaded, or
    requests sent, when `answer` is first iterated.
    """
    if settings.base_url:
        from transfer.labellers.server.openai_labeller import ServerLabeller

        return ServerLabeller(settings, labels, where, examples)
    from transfer.labellers.local.local_labeller import LocalLabeller

    return LocalLabeller(settings, labels, device, where, examples)
