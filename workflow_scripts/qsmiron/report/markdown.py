"""The little Markdown that the methods text uses, as HTML.

Headings, paragraphs, bullet lists, pipe tables, ``**bold**``, ``*emphasis*``, ``code`` and DOIs,
which become links. Everything else is text and escaped.
"""

from __future__ import annotations

import html
import re

_DOI = re.compile(r"\bdoi (10\.\d{4,9}/[^\s,;]*[^\s,;.)])")


def to_html(text: str, top_level: int = 3) -> str:
    """HTML of ``text``; its first heading level becomes ``h{top_level}``."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n".join(_block(block.strip("\n"), top_level) for block in blocks)


def _block(block: str, top_level: int) -> str:
    heading, _, rest = block.partition("\n")
    if found := re.match(r"(#+)\s+(.*)", heading):
        level = min(top_level + len(found[1]) - 1, 6)
        out = f"<h{level}>{_inline(found[2])}</h{level}>"
        return out + ("\n" + _block(rest, top_level) if rest.strip() else "")
    lines = block.splitlines()
    if lines[0].startswith("|"):
        return _table(lines)
    if lines[0].startswith("- "):
        items = re.split(r"(?m)^- ", block)[1:]
        return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"
    return f"<p>{_inline(block)}</p>"


def _table(lines: list[str]) -> str:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    body = [row for row in rows[1:] if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    head = "".join(f"<th>{_inline(cell)}</th>" for cell in rows[0])
    cells = "".join(
        "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in body
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{cells}</tbody></table></div>"
    )


def _inline(text: str) -> str:
    text = html.escape(" ".join(text.split()), quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", text)
    return _DOI.sub(r'doi <a href="https://doi.org/\1">\1</a>', text)
