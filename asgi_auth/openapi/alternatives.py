"""The alternative bodies of an endpoint, written out as one complete schema each, and the examples of bodies.

Client generators do not combine the properties beside a `oneOf` with those inside it; complete schemas need no
combination.
"""

from collections.abc import Mapping, Sequence
from typing import Any

#: A value for each JSON type, where the declaration has no example.
SAMPLES: Mapping[str, Any] = {"boolean": True, "integer": 1, "number": 1.5, "string": "text"}


def written_out(schema: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return one complete object schema for each part of a `oneOf`, by the title of the part.

    A part has the fields of the body, without the fields that only other parts require. Without a title, the required
    fields of the part are its title.
    """
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        own = {*part.get("required", ()), *part.get("properties", ())}
        others = {name for other in parts for name in other.get("required", ())} - own
        title = part.get("title") or "By" + "And".join(_camel(name) for name in part.get("required", ()))
        found[title] = dict(schema) | {
            "properties": {
                name: item | part.get("properties", {}).get(name, {})
                for name, item in schema["properties"].items()
                if name not in others
            },
            "required": [*schema.get("required", ()), *part.get("required", ())],
        }
    return found


def example_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with the required fields of an object schema."""
    return {name: _value(schema["properties"][name]) for name in schema.get("required", ())}


def _value(item: Mapping[str, Any]) -> Any:
    """Return the declared example of a field, or a value of its type and within its bounds."""
    if "const" in item:
        return item["const"]
    if declared := item.get("examples") or item.get("enum"):
        return declared[0]
    if "anyOf" in item:
        return _value(next(each for each in item["anyOf"] if "$ref" not in each))
    kinds = item["type"] if isinstance(item["type"], list) else [item["type"]]
    if kinds[0] == "array":
        return [_value(item["items"])] * item.get("minItems", 0)
    sample = SAMPLES[kinds[0]]
    if isinstance(sample, str):
        return sample.ljust(item.get("minLength", 0), "t")[: item.get("maxLength")]
    return sample


def _camel(name: str) -> str:
    return name.title().replace("_", "")
