"""The code blocks in the documentation, each with the output shown after it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "README.ko.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
SHELL = "bash"
ANSWERS = ("", "json")
"""Languages of a block that shows the output of the code before it."""
COMMENT = re.compile(r"(^|\s+)# .*$", re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A code block, or one command of a shell block."""

    document: str
    line: int
    """Line of the block, from 1."""
    language: str
    code: str
    """The code, without comments at the end of commands."""
    answer: str = ""
    """The block right after it, if that shows its output."""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def snippets(document: Path) -> Iterator[Snippet]:
    """The snippets of a document, in order."""
    name = document.relative_to(ROOT).as_posix()
    before: Snippet | None = None
    for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
        if token.type != "fence":
            if before is not None:
                yield before
            before = None
            continue
        assert token.map is not None
        line, language = token.map[0] + 1, token.info.strip()
        if before is not None and language in ANSWERS:
            yield replace(before, answer=token.content)
            before = None
            continue
        if before is not None:
            yield before
        codes = [token.content]
        if language == SHELL:
            codes = commands(token.content)
        *earlier, before = [Snippet(name, line, language, code) for code in codes]
        yield from earlier
        if language in ANSWERS:  # an output without code before it
            yield before
            before = None
    if before is not None:
        yield before


def commands(shell: str) -> list[str]:
    """The commands of a shell block; a command may span several lines."""
    lines = COMMENT.sub("", shell).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def all_snippets() -> list[Snippet]:
    """The snippets of all documents, without duplicates."""
    found: dict[str, Snippet] = {}
    for document in DOCUMENTS:
        for each in snippets(document):
            found.setdefault(without_comments(each.code), each)
    return list(found.values())


def without_comments(code: str) -> str:
    """The code without comments, the same in the Korean and the English README."""
    return COMMENT.sub("", code)
