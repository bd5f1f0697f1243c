"""Author names that are masked, as "kim****": one name is then many people, and says little of what varies together."""

from stages.plan.schema import Plan


def masked_notes(plan: Plan, masked: int, rows: int) -> list[str]:
    """What to change in a plan that resamples authors though most of `rows` comments have a masked one; [] if none."""
    if plan.index.cluster == "source" or 2 * masked <= rows:
        return []
    return [
        f"{masked:,} of {rows:,} comments have a masked author (kim****), so that one name may be many people: set "
        "index.cluster: source, and index.author_cap: null, so that no cap is laid on such a name"
    ]
