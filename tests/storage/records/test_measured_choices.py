"""What was measured and chosen once holds for the plan, on both databases."""

from sqlalchemy import Engine

from storage.records.measured_choices import choice, forget_choices, record_choice


def test_the_first_choice_holds(store: Engine) -> None:
    assert choice(store, "plan", "engine a") is None
    assert record_choice(store, "plan", "engine a", {"way": "onnx"}) == {"way": "onnx"}
    assert record_choice(store, "plan", "engine a", {"way": "torch"}) == {"way": "onnx"}
    assert choice(store, "plan", "engine a") == {"way": "onnx"}
    assert choice(store, "other", "engine a") is None


def test_choices_are_forgotten_by_the_beginning_of_their_name(store: Engine) -> None:
    for name in ("engine a", "engine_b", "precision"):
        record_choice(store, "plan", name, {"x": 1})
        record_choice(store, "other", name, {"x": 1})
    names = ("engine a", "engine_b", "precision")
    forget_choices(store, "plan", "engine_")  # the underscore stands for itself alone
    assert [choice(store, "plan", name) for name in names] == [{"x": 1}, None, {"x": 1}]
    forget_choices(store, "plan", "engine ")
    assert [choice(store, "plan", name) for name in names] == [None, None, {"x": 1}]
    assert choice(store, "other", "engine a") == {"x": 1}
