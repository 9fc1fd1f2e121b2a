# SPDX-License-Identifier: MIT
"""What is printed as JSON against its schema in docs/."""

import json
import pathlib

import pytest

_DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"


def _strict(schema):
    """A schema that lets no other keys pass than those it names, unless it says which."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _strict(value) for key, value in schema.items()}
    return {"additionalProperties": False, **closed} if schema.get("type") == "object" else closed


def validate(value, name):
    """Raises unless `value` is what docs/NAME says, and has no other keys."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((_DOCS / name).read_text())
    jsonschema.Draft202012Validator(_strict(schema)).validate(value)
