"""A teacher is a labeller like any other: same interface, an identity that follows its members."""

from collections.abc import Sequence

import numpy as np
import pytest

from transfer.labellers.labeller_settings import LabellerSettings, check_labeller
from transfer.labellers.teacher_labeller import TeacherLabeller

LABELS = ["anger", "joy"]


def says(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    sure = np.array([len(text) / 10 for text in texts], dtype=np.float32)
    return np.stack([sure, 1 - sure], axis=1)


def test_it_answers_with_its_members_probabilities_and_needs_no_tokens() -> None:
    teacher = TeacherLabeller(LABELS, {"a": "1", "b": "2"}, says)
    found = dict(teacher.answer(["xx", "xxxxxxxx"]))
    assert [found[i].label for i in (0, 1)] == [1, 0]
    for answer in found.values():
        assert answer.probabilities is not None
        assert sum(answer.probabilities) == pytest.approx(1, abs=1e-12)
        assert (answer.raw, answer.tokens) == (None, 0)
    assert list(teacher.answer([])) == []


def test_its_identity_is_that_of_its_members_and_labels() -> None:
    one = TeacherLabeller(LABELS, {"a": "1", "b": "2"}, says).identity
    assert TeacherLabeller(LABELS, {"b": "2", "a": "1"}, says).identity == one
    others = [
        TeacherLabeller(LABELS, {"a": "1", "b": "3"}, says),
        TeacherLabeller(LABELS, {"a": "1"}, says),
        TeacherLabeller(LABELS[::-1], {"a": "1", "b": "2"}, says),
    ]
    assert len({one, *(other.identity for other in others)}) == 4


def test_a_teacher_beside_an_llm_is_one_too_many() -> None:
    assert check_labeller(LabellerSettings(teacher="ensemble"), LABELS) == []
    (problem,) = check_labeller(LabellerSettings(teacher="ensemble", model="gemma"), LABELS)
    assert "labeller.teacher: 'ensemble' stands beside model" in str(problem)
    (problem,) = check_labeller(LabellerSettings(), LABELS)
    assert "teacher: ensemble" in str(problem)
