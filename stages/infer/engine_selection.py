"""Which engine computes each model of the predictor: as the plan says, or the fastest measured, recorded and kept."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from stages.infer.executors import ExecutorChoice
from stages.plan.plan_settings import InferSettings
from stages.runtime.predictor import Predictor, model_identity
from stages.runtime.run_context import Run
from storage.records.measured_choices import choice, record_choice
from storage.records.model_registry import ModelRecord
from studies.legacy_names import legacy_model_name
from transfer.encoders.tokenization import Tokens, encode
from transfer.engines.engine_benchmark import REFERENCE, Measurement, fastest
from transfer.engines.engine_factory import Member, available_variants, open_engine
from transfer.engines.inference_engine import Engine, EngineVariant
from transfer.errors import UserError

# Measuring takes about as long as torch takes for so many texts; it only pays with about ten times as many.
MEASURED_FROM = 20_000
SAMPLE = 1_000  # texts by which ways are compared: five labels may differ, and two net of one another
CALIBRATION = 300  # other texts, for int8


def choose_engines(run: Run, predictor: Predictor, texts: Sequence[str]) -> ExecutorChoice:
    """The predictor's models, each with the way in which it is computed from now on.

    texts: different ones of those to be classified; below MEASURED_FROM of them torch is used without measuring. A way
    that was measured is recorded in the store, and used by every later run. Raises UserError where nothing that the
    plan allows gives float32's labels, or a recorded engine is not installed here.
    """
    few = len(texts) < MEASURED_FROM
    texts = spread(texts)
    members = [member_of(run, record) for record in predictor.records]
    pairs = zip(predictor.records, members, strict=True)
    ways = [_way(run, record, member, texts, few) for record, member in pairs]
    return ExecutorChoice(members, ways, predictor.how)


def member_of(run: Run, record: ModelRecord) -> Member:
    """A kept model's folder on this machine, and the folder for its converted forms."""
    converted = run.cache / "engines" / model_identity(record) / legacy_model_name(record.name).replace("/", "-")
    return Member(run.files.fetch(record.path), int(record.recipe["max_length"]), converted)


def _way(run: Run, record: ModelRecord, member: Member, texts: Sequence[str], few: bool) -> EngineVariant:
    settings = run.plan.infer
    wanted = f"{settings.engine} {settings.precision}"
    name = f"engine {record.name} {record.lineage.get('fingerprint')} {wanted}"
    recorded = choice(run.engine, run.plan.name, name)
    if recorded is not None:
        way = _recorded_way(recorded, wanted)
        if way.is_int8:  # the quantised file may have been deleted, and quantising needs texts
            open_engine(way, member, lambda: _calibration(member, texts))
        return way
    allowed = [way for way in available_variants() if _fits(way, settings)]
    if not allowed:
        raise _none_available(settings)
    if few and _fits(REFERENCE, settings):
        return _torch_way(member, settings)
    if allowed == [REFERENCE]:
        return REFERENCE
    way, measured = _measured(run, member, allowed, texts)
    value = {"way": asdict(way), "texts": min(len(texts), SAMPLE), "measured": [_figures(found) for found in measured]}
    return EngineVariant(**record_choice(run.engine, run.plan.name, name, value)["way"])


def _fits(way: EngineVariant, settings: InferSettings) -> bool:
    precision = "int8" if way.is_int8 else way.precision
    return settings.engine in {"auto", way.engine} and settings.precision in {"auto", precision}


def _torch_way(member: Member, settings: InferSettings) -> EngineVariant:
    from transformers import AutoConfig

    from transfer.device.device import SMALLEST_BF16_WIDTH, device_name, has_bf16

    config = AutoConfig.from_pretrained(member.folder, trust_remote_code=False)
    is_wide = int(getattr(config, "hidden_size", 0)) >= SMALLEST_BF16_WIDTH
    is_bf16 = settings.precision == "auto" and is_wide and has_bf16(device_name())
    return EngineVariant("torch", "bfloat16" if is_bf16 else "float32")


def _recorded_way(recorded: dict[str, Any], wanted: str) -> EngineVariant:
    way, here = EngineVariant(**recorded["way"]), available_variants()
    # int8-mixed runs wherever int8 does, also where it would not be offered
    is_available = way.engine == "torch" or way in here or (way.is_int8 and EngineVariant(way.engine, "int8") in here)
    if not is_available:
        raise UserError(
            f"infer.engine: for {wanted} this inference began with {way}, which is not available here",
            f"install the extra: pip install 'moodline[{way.engine}]'",
            "or begin this stage again with what is available: --anew infer",
        )
    return way


def _measured(
    run: Run, member: Member, allowed: Sequence[EngineVariant], texts: Sequence[str]
) -> tuple[EngineVariant, list[Measurement]]:
    sample = texts[:SAMPLE]
    run.report.message(f"measuring {len(allowed)} ways to compute {member.folder.name} with {len(sample)} comments")

    def open_way(way: EngineVariant) -> Engine:
        return open_engine(way, member, lambda: _calibration(member, texts))

    way, measured = fastest(allowed, open_way, _tokens(member, sample), run.report.message)
    run.report.message(f"classifying with {way}")
    return way, measured


def _calibration(member: Member, texts: Sequence[str]) -> Tokens:
    """Of texts outside the sample that is compared, where there are enough."""
    return _tokens(member, texts[SAMPLE : SAMPLE + CALIBRATION] or texts[:CALIBRATION])


def _tokens(member: Member, texts: Sequence[str]) -> Tokens:
    from transformers import AutoConfig

    from transfer.encoders.model import load_tokenizer, longest_input

    tokenizer = load_tokenizer(str(member.folder))
    longest = longest_input(AutoConfig.from_pretrained(member.folder, trust_remote_code=False), tokenizer)
    return encode(texts, tokenizer, min(member.max_length or longest, longest))


def _figures(found: Measurement) -> dict[str, Any]:
    """As the store keeps them."""
    figures = {"texts_per_second": round(found.texts_per_second, 1), "agreement": found.agreement, "shift": found.shift}
    return {"way": str(found.way), "taken": found.agrees, **({"problem": found.problem} if found.problem else figures)}


def _none_available(settings: InferSettings) -> UserError:
    available = ", ".join(map(str, available_variants()))
    lines = [f"available here: {available}"]
    if settings.engine in {"openvino", "onnx"}:
        lines.append(f"install the extra: pip install 'moodline[{settings.engine}]'")
    return UserError(
        f"infer.engine: {settings.engine} with precision {settings.precision} is not available here", *lines
    )


def spread(texts: Sequence[str], n: int = SAMPLE + CALIBRATION) -> list[str]:
    """At most n of the texts, in a fixed random order, so that the first of them are a sample of all."""
    order = np.random.default_rng(0).permutation(len(texts))[:n]
    return [texts[int(i)] for i in order]
