"""The step of the schema after which stages are called by their commands, "search" and "label", everywhere.

0.1.0 called them "basic" and "pseudo_label": in names of stages, studies and models, in moodline's tables, in Optuna's
and inside the JSON of results. Only such names are changed; a label that a user called "basic" stays. What was
computed from a name (shards' prefixes, folders, identities of labellers) stays too, see studies.legacy_names.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, TableClause, column, inspect, select, table, update

from storage.database.columns import Json

STAGES = {"basic": "search", "pseudo_label": "label"}
# the last stage in a study's name is its own: a plan's name, before it, may hold anything
STUDY = re.compile(r"(.*) · (basic|further|distil) · (.*)", re.DOTALL)
MODEL = re.compile(r"((?:stage one: |best single: )?)basic(/[^/]+/trial-\d+)")  # also as a row of a table has it
MODEL_BEGINS = re.compile(r"^(engine )?basic(?=/[^/]+/trial-\d+ )")

Names = Mapping[str, str]  # of studies: today's by 0.1.0's
Object = dict[str, Any]


def rename_stages(connection: Connection) -> None:
    """Does the step, within the connection's transaction. Optuna's tables may not be there."""
    studies = _rename_studies(connection)
    _rename_models(connection, studies)
    _rename_results(connection, studies)
    _rename_others(connection, studies)


def _rename_studies(connection: Connection) -> Names:
    if not inspect(connection).has_table("studies"):
        return {}
    stages, models = table("moodline_stages", column("plan")), table("moodline_models", column("plan"))
    plans = {*connection.scalars(select(stages.c.plan)), *connection.scalars(select(models.c.plan))}
    studies = table("studies", column("study_id"), column("study_name"))
    attributes = table("study_user_attributes", column("study_id"), column("key"), column("value_json"))
    renamed = {}
    for study_id, name in connection.execute(select(studies)).all():
        found = STUDY.fullmatch(name)
        if found and found[1] in plans and found[2] == "basic":
            renamed[name] = f"{found[1]} · search · {found[3]}"
            _change(connection, studies, {"study_id": study_id}, {"study_name": renamed[name]})
            _change(connection, attributes, {"study_id": study_id, "key": "stage"}, {"value_json": '"search"'})
    return renamed


def _rename_models(connection: Connection, studies: Names) -> None:
    models = _table("moodline_models", "plan name stage study", "lineage")
    for row in connection.execute(select(models)).all():
        lineage = {
            **row.lineage,
            **{key: _renamed(row.lineage[key], {}) for key in ("start", "teacher") & row.lineage.keys()},
        }
        new = {"name": _name(row.name, {}), "stage": STAGES.get(row.stage, row.stage)}
        new |= {"study": studies.get(row.study, row.study), "lineage": lineage}
        _change(connection, models, {"plan": row.plan, "name": row.name}, new)


def _rename_results(connection: Connection, studies: Names) -> None:
    stages = _table("moodline_stages", "plan stage fingerprint", "parts result")
    rows = connection.execute(select(stages)).all()
    for row in rows:
        results = {other.stage: other.result for other in rows if other.plan == row.plan and other.result}
        result, parts = _renamed(row.result, studies), _renamed_parts(row.stage, row.parts, results, studies)
        new: Object = {"stage": STAGES.get(row.stage, row.stage), "result": result}
        if parts != row.parts and _fingerprint(row.parts) == row.fingerprint:
            new |= {"parts": parts, "fingerprint": _fingerprint(parts)}
            if result:
                result["fingerprint"] = new["fingerprint"]
        _change(connection, stages, {"plan": row.plan, "stage": row.stage}, new)


def _rename_others(connection: Connection, studies: Names) -> None:
    slots = table("moodline_slots", column("study"))
    for old, new in studies.items():
        _change(connection, slots, {"study": old}, {"study": new})
    labellers = _table("moodline_labellers", "identity", "description")
    for identity, description in connection.execute(select(labellers)).all():
        _change(connection, labellers, {"identity": identity}, {"description": _renamed(description, studies)})
    readings = _table("moodline_test_readings", "id read_by fingerprint")
    for row in connection.execute(select(readings)).all():
        models = ",".join(_name(name, {}) for name in row.fingerprint.split(","))
        _change(
            connection,
            readings,
            {"id": row.id},
            {"read_by": STAGES.get(row.read_by, row.read_by), "fingerprint": models},
        )
    choices = _table("moodline_choices", "plan name")
    for plan, name in connection.execute(select(choices)).all():
        _change(connection, choices, {"plan": plan, "name": name}, {"name": MODEL_BEGINS.sub(r"\1search", name)})


def _renamed_parts(stage: str, parts: Object, results: Mapping[str, Object], studies: Names) -> Object:
    """The parts of a stage's fingerprint. Those of stage two stay: names and lineages come from their fingerprint."""
    if stage == "pseudo_label":
        return {**parts, "labeller": _renamed(parts.get("labeller"), studies)}
    if stage == "ensemble":
        models = sorted(MODEL_BEGINS.sub("search", model) for model in parts.get("models", ()))
        winners = {STAGES.get(name, name): _name(model, {}) for name, model in parts.get("winners", {}).items()}
        return {**parts, "models": models, "winners": winners}
    if stage == "monitor":
        return {**parts, "results": _renamed_table(parts.get("results"), results, studies)}
    return parts


def _renamed_table(known: str | None, results: Mapping[str, Object], studies: Names) -> str | None:
    """The fingerprint of the table on the page of the line with today's names; as it is where it is of other rows."""
    labels = results.get("pseudo_label")
    facts: Object = {}
    if labels:
        facts["labeller"] = {
            "model": labels["labeller"].get("model"),
            "kappa": labels["kappa"],
            "labelled": labels["labelled"],
        }
        if labels["simulation"]:
            facts["simulation"] = {
                "labeller": "The labeller is a stand-in for an LLM, and the figures are those of a simulation."
            }
    rows: list[Object] = next(
        (results[stage]["rows"] for stage in ("ensemble", "further", "basic") if stage in results), []
    )
    splits = list(dict.fromkeys(row["split"] for row in rows))
    distilled = [row for row in results.get("distil", {}).get("rows", []) if row["split"] in splits]
    for table_rows in (rows, sorted([*rows, *distilled], key=lambda row: splits.index(row["split"]))):
        if _fingerprint({"rows": table_rows, "labeller": facts}) == known:
            return _fingerprint({"rows": _renamed(table_rows, studies), "labeller": facts})
    return known


def _renamed(value: Any, studies: Names, key: str = "") -> Any:
    """JSON with today's names in it, also as keys. Every other text, and what is no text, stays."""
    if isinstance(value, dict):
        return {_name(name, studies): _renamed(item, studies, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, studies) for item in value]
    if not isinstance(value, str):
        return value
    return STAGES.get(value, value) if key == "stage" else _name(value, studies)


def _name(text: str, studies: Names) -> str:
    """Today's name of a model, of a model's row in a table, or of a study; any other text as it is."""
    found = MODEL.fullmatch(text)
    return f"{found[1]}search{found[2]}" if found else studies.get(text, text)


def _fingerprint(parts: Any) -> str:
    """As 0.1.0 computed it: SHA-256 as 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def _table(name: str, plain: str, json_columns: str = "") -> TableClause:
    return table(name, *map(column, plain.split()), *(column(each, Json) for each in json_columns.split()))


def _change(connection: Connection, where: TableClause, of: Object, values: Object) -> None:
    matching = [where.c[name] == value for name, value in of.items()]
    connection.execute(update(where).where(*matching).values(**values))
