"""Annotations: one answer by each annotator for each comment, on both databases."""

from sqlalchemy import Engine

from storage.records.annotations import annotate, annotations, take_back


def _answers(store: Engine, plan: str = "plan") -> dict[tuple[str, str], str | None]:
    return {(found.annotator, found.key): found.label for found in annotations(store, plan)}


def test_an_answer_given_again_replaces_the_annotators_own_alone(store: Engine) -> None:
    annotate(store, "plan", "kim", {"a": "joy", "b": None})
    annotate(store, "plan", "lee", {"a": "anger"})
    annotate(store, "plan", "kim", {"a": "sadness"})
    assert _answers(store) == {("kim", "a"): "sadness", ("kim", "b"): None, ("lee", "a"): "anger"}


def test_what_is_taken_back_was_never_given(store: Engine) -> None:
    annotate(store, "plan", "kim", {"a": "joy", "b": "joy"})
    annotate(store, "plan", "lee", {"a": "joy"})
    take_back(store, "plan", "kim", "a")
    take_back(store, "plan", "kim", "never")
    assert _answers(store) == {("kim", "b"): "joy", ("lee", "a"): "joy"}


def test_plans_keep_apart_and_the_oldest_answers_come_first(store: Engine) -> None:
    annotate(store, "plan", "kim", {"b": "joy"})
    annotate(store, "other", "kim", {"b": "anger"})
    annotate(store, "plan", "kim", {"a": "joy"})
    assert [found.key for found in annotations(store, "plan")] == ["b", "a"]
    assert _answers(store, "other") == {("kim", "b"): "anger"}
    assert all(found.labelled_at.tzinfo is not None for found in annotations(store, "plan"))
