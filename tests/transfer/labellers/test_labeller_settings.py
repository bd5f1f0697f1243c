"""The settings of a labeller."""

import subprocess
import sys


def test_settings_and_prompt_are_read_without_heavy_imports() -> None:
    code = (
        "import sys, transfer.labellers.labeller_settings, transfer.labellers.labeller_factory;"
        "print([m for m in ('torch', 'transformers', 'openai', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
