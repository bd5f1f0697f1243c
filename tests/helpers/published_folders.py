"""A folder as training leaves it, and what it holds."""

from pathlib import Path


def model(folder: Path, text: str = "weights") -> Path:
    (folder / "vocab").mkdir(parents=True)
    (folder / "model.safetensors").write_text(text)
    (folder / "vocab" / "단어.txt").write_text("기쁨\n", encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".moodline.json")
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


WEIGHTS = {"model.safetensors": "weights", "vocab/단어.txt": "기쁨\n"}
