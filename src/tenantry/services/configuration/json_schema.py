"""The JSON schema of a document, made from the nouns and the tables of their fields."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from tenantry.rules.fields import LIMITS, Field
from tenantry.services.configuration.noun import Noun
from tenantry.services.configuration.nouns import NOUNS
from tenantry.services.configuration.plan import VERSION
from tenantry.services.configuration.shapes import camel, hints_of, without_none

Json = dict[str, Any]
Abouts = Mapping[str, Mapping[str, str]]
"""What the settings of a noun mean, by the noun's name."""
_KEYWORD = {"$ref": "#/$defs/keyword"}
_TIME = {"type": "string", "format": "date-time"}
_SCALARS = {bool: "boolean", int: "integer", str: "string"}


def schema_of(abouts: Abouts) -> Json:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of a tenant",
        "description": (
            "What a tenant should be. A noun or a setting that is left out is not changed; null "
            "sets the default. Objects that are not named are kept."
        ),
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "version": {"const": VERSION, "description": "The version of the format."},
            **{noun.name: _noun(noun, abouts.get(noun.name, {})) for noun in NOUNS},
        },
        "$defs": {
            "keyword": {
                "description": (
                    "A value of the environment: `@@NAME@@` stands for any value, `##NAME##` for "
                    "a part of a text."
                ),
                "type": "string",
                "pattern": "##[A-Z][A-Z0-9_]{0,63}##|^@@[A-Z][A-Z0-9_]{0,63}@@$",
            }
        },
    }


def _noun(noun: Noun, about: Mapping[str, str]) -> Json:
    properties = {
        camel(name): {
            **_setting(noun.hint(name), field),
            **({"description": about[name]} if name in about else {}),
        }
        for name, field in noun.fields.items()
    }
    required = [camel(name) for name in noun.key if not noun.fields[name].clearable]
    one: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    if noun.is_single:
        return one
    return {
        "anyOf": [{"type": "array", "items": {**one, "required": required}}, _KEYWORD],
    }


def _setting(hint: Any, field: Field) -> Json:
    allowed = [{**_value(hint), **LIMITS.get(field.check, {})}]
    if field.clearable:
        allowed.append({"type": "null"})
    return {"anyOf": [*allowed, _KEYWORD]}


def _value(hint: Any) -> Json:
    hint = without_none(hint)
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _or_keyword(_value(typing.get_args(hint)[0]))}
    if typing.get_origin(hint) is dict:
        return {"type": "object"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": list(hint.__members__)}
    if hint is datetime:
        return _TIME
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint)
    return {"type": _SCALARS[hint]}


def _object(cls: type) -> Json:
    hints = hints_of(cls)
    members = {camel(field.name): field for field in fields(cls)}
    properties = {}
    for name, field in members.items():
        value = _or_keyword(_value(hints[field.name]))
        if field.default is not MISSING:
            value = {"anyOf": [*value["anyOf"], {"type": "null"}]}
        properties[name] = value
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [name for name, field in members.items() if field.default is MISSING],
    }


def _or_keyword(value: Json) -> Json:
    return {"anyOf": [value, _KEYWORD]}
