"""Imports point one way between folders, and nothing heavy happens at import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "stt"

LAYERS = [
    "errors",
    "notices",
    "normalisation",
    "types",
    "frames",
    "compiling",
    "language_model",
    "korean",
    "english",
    "abbreviations",
    "conventions",
    "languages",
    "settings",
    "audio",
    "activity",
    "speakers",
    "asked",
    "engines",
    "models",
    "inference",
    "decoding",
    "recognition",
    "alignment",
    "formats",
    "observability",
    "jobs",
    "server",
    "cluster",
    "evaluation",
    "commands",
    "cli",
]
"""Folders and modules of `stt`; each may import from those before it. Within a folder modules may
import each other, as long as there is no circle."""

FILES = {
    ".".join(("stt", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): file
    for file in PACKAGE.rglob("*.py")
}
"""Every module by its name."""


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below one, those in functions too, except what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from statements(child)


def imported(module: str) -> set[str]:
    """The modules of `stt` that one imports, wherever in it."""
    found = set()
    for node in statements(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in FILES else str(node.module))
    return {name for name in found if name in FILES} - {"stt", module}


@cache
def imports() -> dict[str, set[str]]:
    """What each module imports."""
    return {module: imported(module) for module in FILES if module != "stt"}


def test_imports_between_folders_point_one_way() -> None:
    order = {name: index for index, name in enumerate(LAYERS)}
    assert {module.split(".")[1] for module in imports()} == set(order)
    backwards = [
        f"{module} imports {other}"
        for module, others in imports().items()
        for other in others
        if order[other.split(".")[1]] > order[module.split(".")[1]]
    ]
    assert backwards == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def libraries(file: Path) -> set[str]:
    """The top-level packages that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    return {name.partition(".")[0] for name in names}


def test_only_the_cluster_imports_ray() -> None:
    for module, file in FILES.items():
        if not module.startswith("stt.cluster"):
            assert "ray" not in libraries(file), module


def test_formats_do_not_import_the_web_framework() -> None:
    for module, file in FILES.items():
        if module.startswith("stt.formats"):
            assert not {"fastapi", "starlette"} & libraries(file), module


def test_importing_the_entry_point_reads_nothing_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, server_stt\n"
        "heavy = {'torch', 'transformers', 'librosa', 'numba', 'av', 'fastapi'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert 'KR' in server_stt.SUPPORTED_LANGUAGES\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=PACKAGE.parent, env={"STT_PORT": "nonsense"}
    )


def test_the_application_imports_no_model_library() -> None:
    code = (
        "import sys, stt.server.app\n"
        "heavy = {'torch', 'transformers', 'librosa', 'numba', 'av', 'huggingface_hub'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent, env={})


def test_training_and_benchmarks_share_only_the_held_out_and_the_everyday_texts() -> None:
    found = set()
    for package, other in (("training", "benchmarks"), ("benchmarks", "training")):
        for file in (PACKAGE.parent / package).rglob("*.py"):
            for line in file.read_text(encoding="utf-8").splitlines():
                words = line.split()
                if words[:1] in (["from"], ["import"]) and words[1].split(".")[0] == other:
                    found.add((package, words[1]))
    assert found == {("benchmarks", "training.held_out"), ("benchmarks", "training.everyday")}


def defined(file: Path) -> set[str]:
    """The names that a module has at its top level."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def test_what_training_and_benchmarks_import_exists() -> None:
    """No test runs all of them, and type checks leave them out."""
    root, missing = PACKAGE.parent, []
    for package in ("training", "benchmarks"):
        for file in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.ImportFrom) or not node.module:
                    continue
                parts = node.module.split(".")
                if parts[0] not in ("stt", "training", "benchmarks"):
                    continue
                place = root.joinpath(*parts)
                source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
                names = defined(source) if source.is_file() else set()
                missing += [
                    f"{file.name}: {node.module}.{alias.name}"
                    for alias in node.names
                    if alias.name not in names and not (place / f"{alias.name}.py").is_file()
                    and not (place / alias.name).is_dir()
                ]  # fmt: skip
    assert missing == []
