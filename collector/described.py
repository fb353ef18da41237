"""Models whose fields are described by the sentences under them, in their JSON Schema.

pydantic can do that, too, but reads the source of every model when it is imported: a seventh of what the
daemon takes to start. Here it is read when a schema is asked for.
"""

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue


class Described(BaseModel):
    """A model that takes the sentence under a field for its description."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for model in reversed(cls.__mro__):
            if issubclass(model, Described):
                for name, sentence in _sentences(model).items():
                    if name in properties:
                        properties[name]["description"] = sentence
        return schema


def _sentences(model: type) -> dict[str, str]:
    """What stands under each field of a class, by the name of the field."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }
