"""What a plan's searches allow and are unlikely to be meant: told by `check`, and when a search begins."""

from studies.algorithms import SamplerName, hyperband_warning
from studies.space.dimensions import Space, has_conditions
from studies.study_config import StudyConfig

# A Gaussian process takes about 7 s to propose from 300 trials on one core (TPE 0.1 s), and grows with their cube.
GP_TRIALS = 300


def search_notes(search: StudyConfig) -> list[str]:
    """Notes on a study's ways, in words; none where all is well."""
    notes = []
    if search.pruner == "hyperband":
        notes.append(hyperband_warning(search.name, search.trials, search.most_steps))
    if search.sampler == "gp" and search.trials > GP_TRIALS:
        notes.append(f"the gp sampler becomes slow beyond some {GP_TRIALS} trials, got {search.trials}; tpe does not")
    notes.append(_condition_note(search.sampler, search.space))
    return [f"{search.name}: {note}" for note in notes if note]


def _condition_note(sampler: SamplerName, space: Space) -> str | None:
    if sampler in {"gp", "qmc"} and has_conditions(space):
        return f"the {sampler} sampler draws parameters with a condition (`when`) at random; tpe learns about them too"
    return None
