"""A model's keys, as presets and reference are written from them."""

from stages.plan.plan_fields import fields_of
from stages.plan.plan_settings import PseudoLabelSettings
from stages.plan.schema import Plan
from transfer.labellers.labeller_settings import LabellerSettings


def test_a_models_keys_are_read_with_their_defaults_and_the_models_behind_them() -> None:
    fields = {field.name: field for field in fields_of(Plan)}
    assert fields["name"].is_required
    assert fields["seed"].default == 13
    assert fields["pseudo_label"].models == (PseudoLabelSettings,)
    assert fields["pseudo_label"].is_union
    labellers = {field.name: field.models for field in fields_of(PseudoLabelSettings)}["labellers"]
    assert labellers == (LabellerSettings,)


def test_dimensions_of_a_search_space_are_no_keys_of_their_own() -> None:
    search = next(field for field in fields_of(Plan) if field.name == "search").models[0]
    assert next(field for field in fields_of(search) if field.name == "space").models == ()
