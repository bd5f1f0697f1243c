"""Labellers of a fake server, and their answers."""

import pytest

from tests.helpers.fake_server import Body, Script, comment_in, completion, serve
from transfer.errors import UserError
from transfer.labellers.labeller import Answer
from transfer.labellers.labeller_factory import make_labeller
from transfer.labellers.labeller_settings import LabellerSettings

LABELS = ("anger", "sadness", "neutral", "happiness")


TEXTS = [f"comment {i} {'😊' * i}" for i in range(12)]


def settings_for(url: str, **given: object) -> LabellerSettings:
    return LabellerSettings.model_validate({"base_url": url, "model": "small-lm", "retries": 2, **given})


def answers(script: Script, texts: list[str], **given: object) -> tuple[dict[int, Answer], list[Body]]:
    with serve(script) as fake:
        found = dict(make_labeller(settings_for(fake.url, **given), LABELS, "cpu").answer(texts))
        return found, fake.asked


def gathered(url: str, texts: list[str], **given: object) -> tuple[dict[int, Answer], UserError]:
    """What was yielded before the UserError, and the UserError."""
    found: dict[int, Answer] = {}
    with pytest.raises(UserError) as caught:
        found.update(make_labeller(settings_for(url, **given), LABELS, "cpu").answer(texts))  # keeps what came
    return found, caught.value


def by_number(body: Body, _: int = 0) -> Body:
    """Answers "comment 5 ..." with the label at 5 modulo 4."""
    return completion(LABELS[int(comment_in(body).split()[1]) % 4])
