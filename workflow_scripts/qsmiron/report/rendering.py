"""Templates: how the files in ``templates`` are filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fill a template. HTML is escaped in ``.html.j2`` and left alone elsewhere.

    A name that the template uses and ``values`` lacks raises ``jinja2.UndefinedError``.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=template.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)


def template_file(name: str) -> str:
    """The text of a file in ``templates`` that is used as it is (style, script)."""
    return (TEMPLATES / name).read_text(encoding="utf-8")
