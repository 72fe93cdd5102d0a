"""The inputs of the image build; the tests have no Docker to build it."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_copied_files_exist_and_are_not_ignored() -> None:
    ignored, *let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored == "*"
    allowed = {line.removeprefix("!") for line in let_through if line.startswith("!")}
    copied = set()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        copied |= set(sources.split())
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    # Everything that goes into the wheel.
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["only-include"], *wheel["force-include"], *PROJECT["project"]["license-files"]}
    assert needed | {PROJECT["project"]["readme"]} <= copied


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_the_cpu_image_has_no_cuda_packages() -> None:
    assert '"$@" --prune torch' in DOCKERFILE
    (options,) = re.findall(r"^RUN set -- (.+) \\$", DOCKERFILE, re.MULTILINE)
    export = ["uv", "export", *options.split()]
    whole, pruned = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for command in (export, [*export, "--prune", "torch"])
    )
    assert re.search(r"^torch==\d", whole, re.MULTILINE)
    cuda = re.compile(r"^(nvidia|cuda|triton)", re.MULTILINE)
    assert cuda.search(whole)
    assert not cuda.search(pruned)


def test_it_names_the_projects_extras() -> None:
    (named,) = re.findall(r"^# Of pyproject.toml, between spaces: ([\w ]+)\.$", DOCKERFILE, re.M)
    assert named.split() == sorted(PROJECT["project"]["optional-dependencies"])


def test_versions_are_exact_and_packages_have_hashes() -> None:
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert stages == ["${PYTHON_IMAGE}"] * 2
    assert re.search(r"^RUN pip install .* uv==[\d.]+$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes --no-deps -r hashed.txt" in DOCKERFILE
    assert base in (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
