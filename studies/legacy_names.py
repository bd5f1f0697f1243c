"""The names that identities are computed from: hashes, folders and hyperband's brackets.

They are those of 0.1.0, which called stage one "basic" where it is called "search" today. So a store of 0.1.0 finds its
checkpoints, labels and shards under its new names too, and a plan has the same trials with either version.
"""

import re

# the last stage in a study's name is its own: a plan's name, before it, may hold anything
_STUDY = re.compile(r"(.*) · (search|further|distil) · (.*)", re.DOTALL)


def legacy_model_name(name: str) -> str:
    """A kept model's: "basic/klue-bert-base/trial-7" for "search/klue-bert-base/trial-7"; others are their own."""
    return re.sub(r"^search/", "basic/", name)


def legacy_study_name(name: str) -> str:
    """A study's: "plan · basic · klue/bert-base" for "plan · search · klue/bert-base"; others are their own."""
    found = _STUDY.fullmatch(name)
    return f"{found[1]} · basic · {found[3]}" if found and found[2] == "search" else name
