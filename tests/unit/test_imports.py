"""Imports point backwards along the one-way flow, and nothing heavy happens at import."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "stt"

LAYERS = [
    {"errors", "transcript", "observer", "tracecontext", "sizing"},
    {"languages", "windows", "segments", "evaluation", "readers", "resampler"},
    {"settings", "audio", "ctc", "captions"},
    {"engine", "models", "logs", "utterances"},
    {"submitter"},
    {"engines"},
    {"inference", "loader", "responses", "decoding"},
    {"batcher"},
    {"transcriber", "live", "problems", "metrics", "tracing"},
    {"formats", "admission"},
    {"backend"},
    {"service", "openai", "whisper", "auth"},
    {"events"},
    {"routes", "middleware"},
    {"openapi"},
    {"app"},
    {"cluster"},
    {"commands"},
    {"cli"},
]
"""A module may import from earlier layers, and `loader` and `transcriber` from their own."""


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "stt":
                names |= {alias.name for alias in node.names} - {"__version__"}
            elif node.module.startswith("stt."):
                names.add(node.module.split(".")[1])
    return names


def test_imports_point_one_way() -> None:
    order = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    files = [file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "__init__.py"]
    assert {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in files} == set(order)
    for file in files:
        module = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for other in imported(file) - {module}:
            assert order[other] < order[module], f"{module} imports {other}"


def test_modules_are_short() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")}
    assert {str(file): n for file, n in lengths.items() if n > 320} == {}


def test_importing_the_entry_point_reads_nothing_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, server_stt\n"
        "heavy = {'torch', 'transformers', 'librosa', 'av', 'fastapi'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert 'KR' in server_stt.SUPPORTED_LANGUAGES\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=PACKAGE.parent, env={"STT_PORT": "nonsense"}
    )


def test_the_application_imports_no_model_library() -> None:
    code = (
        "import sys, stt.app\n"
        "heavy = {'torch', 'transformers', 'librosa', 'av', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent, env={})
