"""What a page in Markdown holds: prose, code and links."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)")
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+")


def code_blocks(text, language):
    return [code for found, code in _FENCED.findall(text) if found == language]


def links(text):
    return [target for _, target in _LINK.findall(_FENCED.sub("", text))]


def prose(text):
    """The sentences of a page, cells of tables among them; neither code nor headings."""
    text = _FENCED.sub("\n\n", _FRONT_MATTER.sub("", text))
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    text = _LINK.sub(r"\1", text)
    text = re.sub(r"^\s*[-*] ", "\n", text, flags=re.MULTILINE).replace("|", "\n\n")
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return [s for part in paragraphs for s in _SENTENCE_END.split(part) if re.search(r"\w", s)]


def commands(text):
    """The words of every command in a page: lines of bash blocks, and code within prose."""
    for block in code_blocks(text, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            yield from _split(line)
    for code in re.findall(r"`([^`\n]+)`", _FENCED.sub("", text)):
        if code.startswith(("colorize-hub ", "python -m ")):
            yield from _split(code)


def _split(line):
    for command in line.split("&&"):
        if words := shlex.split(command, comments=True):
            yield words
