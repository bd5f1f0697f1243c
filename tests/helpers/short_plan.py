"""The shortest useful plan."""

from collections.abc import Callable
from pathlib import Path

WriteIt = Callable[[str], Path]


SHORT = """
name: short
labels: [anger, happiness]
original: {train: [{path: train.csv}]}
comments: [{path: comments.csv}]
candidates: [klue/bert-base]
"""
