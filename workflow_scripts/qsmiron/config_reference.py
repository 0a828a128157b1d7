"""The reference of the configuration, written from the classes that validate it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from .config import STAGES, Atlas, Config, MaskStep, Reference, Registration
from .masks.gre import GreMaskParameters
from .parameters import Parameters
from .registration.scan import RegistrationParameters
from .statistics.settings import DeltaFsContrast, GivenContrast, KmeansContrast

_HEAD = "| key | default | allowed | what it is |\n|---|---|---|---|\n"
_SIGNS = {"gt": "> {}", "ge": "≥ {}", "lt": "< {}", "le": "≤ {}"}


def _allowed(field: FieldInfo) -> str:
    limits = [
        sign.format(f"{getattr(rule, name):g}")
        for rule in field.metadata
        for name, sign in _SIGNS.items()
        if getattr(rule, name, None) is not None
    ]
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(choices)
    return ", ".join(limits)


def _default_of(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, list | tuple):
        nested = (Parameters, dict, list, tuple)
        items = (_default(item) if isinstance(item, nested) else str(item) for item in value)
        return "[" + ", ".join(items) + "]"
    if isinstance(value, Parameters):
        return _default(value.model_dump(exclude_defaults=True))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_default(item)}" for key, item in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _row(name: str, field: FieldInfo, default: Any) -> str:
    return f"| `{name}` | {_default(default)} | {_allowed(field)} | {field.description or ''} |\n"


def _table(model: type[Parameters]) -> str:
    return _HEAD + "".join(_rows(model))


def _rows(
    model: type[Parameters], defaults: Parameters | None = None, above: str = ""
) -> Iterator[str]:
    """A row per key; keys of a block inside the block are joined by dots."""
    for name, field in model.model_fields.items():
        default = getattr(defaults, name) if defaults else _default_of(field)
        if _block(field.annotation):
            yield from _rows(field.annotation, default, f"{above}{name}.")
        else:
            yield _row(above + name, field, default)


def _block(model: type[Any]) -> bool:
    return isinstance(model, type) and issubclass(model, Parameters)


def _sections() -> Iterator[str]:
    yield "# Configuration\n\n"
    yield (
        "Every key of `config/config.yaml`, its default, what it may be and what it is. An unknown"
        " key or a\nvalue out of range stops the run with the key's name.\nThis page is written by"
        " `python workflow_scripts/document_config.py`.\n\n"
        "A file of your own (`--configfile`) or `--config` is laid over `config/config.yaml`, block"
        " by block. null\nremoves a contrast, atlas or variant; an empty block (`contrasts: {}`) or"
        " list has nothing in it; a contrast\nwith `derive` replaces that of its name. Of two equal"
        " keys in a file YAML drops one: that stops the run.\nPut labels and levels like `'01'`,"
        " `'yes'`, `'2020-01-01'` in quotes; on the command line\n`participant_label=01` will do.\n"
    )
    fields = Config.model_fields
    plain = {
        name: field
        for name, field in fields.items()
        if not _block(field.annotation) and name not in ("contrasts", "variants", "atlases")
    }
    yield (
        "\n## Top level\n\n"
        + _HEAD
        + "".join(_row(name, field, _default_of(field)) for name, field in plain.items())
    )
    for name, field in fields.items():
        if _block(field.annotation) and name not in ("reconstruction", "registration"):
            yield f"\n## `{name}`\n\n{_table(field.annotation)}"
    yield f"\n## `registration`\n\n{_table(Registration)}\nIts `parameters`:\n\n"
    yield _table(RegistrationParameters)
    yield "\n## `atlases`\n\nOne block per atlas, under its label.\n\n" + _table(Atlas)
    yield "\n## `contrasts`\n\nOne block per contrast, under its name: a given column,\n\n"
    yield _table(GivenContrast) + "\na cut on ΔFS,\n\n" + _table(DeltaFsContrast)
    yield "\nor k-means on the change of the ALSFRS-R.\n\n" + _table(KmeansContrast)
    yield (
        "\n## `variants`\n\nOne block per variant, under its `desc-` label: the blocks of"
        " `reconstruction` that it changes.\n"
    )
    yield "\n## `reconstruction`\n\nEach stage has a `method` and its `parameters`:\n"
    yield f"\n### `mask`\n\n{_table(MaskStep)}\nIts `parameters`:\n\n{_table(GreMaskParameters)}"
    yield f"\n### `reference`\n\n{_table(Reference)}"
    for stage, methods in STAGES.items():
        for name, method in methods.items():
            model, _ = method.load()
            default = fields["reconstruction"].get_default(call_default_factory=True)
            mark = ", the default" if getattr(default, stage).method == name else ""
            yield f"\n### `{stage}`: `{name}`{mark}\n\n{method.citation}.\n\n{_table(model)}"


def config_reference() -> str:
    """The reference as Markdown."""
    return "".join(_sections())
