"""Settings of a study that are allowed and unlikely to be meant: shown by `check`, and when a search begins."""

from studies.sampling.algorithms import SamplerName, hyperband_warning
from studies.space.dimensions import Space, has_conditions
from studies.study_config import StudyConfig

# A Gaussian process takes about 7 s to propose from 300 trials on one core (TPE 0.1 s), and grows with their cube.
GP_TRIALS = 300


def search_warnings(study: StudyConfig) -> list[str]:
    """Warnings about a study's sampler and pruner; none where all is well."""
    warnings = []
    if study.pruner == "hyperband":
        warnings.append(hyperband_warning(study.name, study.trials, study.most_steps))
    if study.sampler == "gp" and study.trials > GP_TRIALS:
        warnings.append(f"the gp sampler is slow beyond about {GP_TRIALS} trials, got {study.trials}; tpe is not")
    warnings.append(_condition_warning(study.sampler, study.space))
    return [f"{study.name}: {warning}" for warning in warnings if warning]


def _condition_warning(sampler: SamplerName, space: Space) -> str | None:
    if sampler in {"gp", "qmc"} and has_conditions(space):
        return (
            f"the {sampler} sampler samples parameters with a condition (`when`) at random; tpe learns from trials "
            "about them, too"
        )
    return None
