"""tests/openapi.py: docs/openapi.yaml as the tests use it: its routes, and whether a value is as a schema says.

Knows the part of OpenAPI 3.0 that the document uses, and refuses a keyword that it doesn't know, so that nothing in a
schema is silently ignored."""
import re

import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
IGNORED = {"description", "default", "format", "example"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.tree = yaml.safe_load(f)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            parts = node["$ref"].removeprefix("#/").split("/")
            node = self.tree
            for part in parts:
                node = node[part]
        return node

    def routes(self):
        """(METHOD, path) of each operation."""
        return {(m.upper(), path) for path, item in self.tree["paths"].items() for m in item if m in METHODS}

    def operation(self, method, path):
        return self.tree["paths"][path][method.lower()]

    def parameters(self, method, path, where):
        item = self.tree["paths"][path]
        listed = item.get("parameters", []) + self.operation(method, path).get("parameters", [])
        return {p["name"] for p in map(self.resolve, listed) if p["in"] == where}

    def response_schema(self, method, path, status):
        """(media type, schema) of that answer, (None, None): it has no body.  KeyError: there is no such answer."""
        response = self.resolve(self.operation(method, path)["responses"][str(status)])
        for media, content in response.get("content", {}).items():
            return media, content["schema"]
        return None, None

    def references(self):
        """All $ref in the document."""
        todo, found = [self.tree], set()
        while todo:
            node = todo.pop()
            if isinstance(node, dict):
                if isinstance(node.get("$ref"), str):
                    found.add(node["$ref"])
                todo.extend(node.values())
            elif isinstance(node, list):
                todo.extend(node)
        return found

    def faults(self, schema, value, where="$"):
        """What in value isn't as the schema says, one sentence each."""
        schema = self.resolve(schema)
        if value is None:
            return [] if schema.get("nullable") else [f"{where} is null"]
        found = []
        for keyword, rule in schema.items():
            if keyword == "nullable" or keyword in IGNORED:
                continue
            check = getattr(self, "_" + keyword, None)
            if check is None:
                raise ValueError(f"{where}: the schema uses '{keyword}', which tests/openapi.py doesn't know")
            found += check(schema, rule, value, where)
        return found

    def _type(self, _schema, rule, value, where):
        fits = isinstance(value, TYPES[rule]) and not (isinstance(value, bool) and rule != "boolean")
        return [] if fits else [f"{where} is {value!r}, no {rule}"]

    def _required(self, _schema, rule, value, where):
        return [f"{where}.{key} is missing" for key in rule if key not in value]

    def _properties(self, _schema, rule, value, where):
        return [f for key, sub in rule.items() if key in value for f in self.faults(sub, value[key], f"{where}.{key}")]

    def _additionalProperties(self, schema, rule, value, where):
        extra = [key for key in value if key not in schema.get("properties", {})]
        if rule is False:
            return [f"{where}.{key} isn't described" for key in extra]
        return [] if rule is True else [f for key in extra for f in self.faults(rule, value[key], f"{where}.{key}")]

    def _items(self, _schema, rule, value, where):
        return [f for i, item in enumerate(value) for f in self.faults(rule, item, f"{where}[{i}]")]

    def _enum(self, _schema, rule, value, where):
        return [] if value in rule else [f"{where} is {value!r}, none of {rule}"]

    def _pattern(self, _schema, rule, value, where):
        return [] if re.search(rule, value) else [f"{where} is {value!r}, not like {rule}"]

    def _minimum(self, _schema, rule, value, where):
        return [] if value >= rule else [f"{where} is {value}, below {rule}"]

    def _maximum(self, _schema, rule, value, where):
        return [] if value <= rule else [f"{where} is {value}, above {rule}"]

    def _minItems(self, _schema, rule, value, where):
        return [] if len(value) >= rule else [f"{where} has {len(value)} items"]

    def _maxItems(self, _schema, rule, value, where):
        return [] if len(value) <= rule else [f"{where} has {len(value)} items"]

    def _minProperties(self, _schema, rule, value, where):
        return [] if len(value) >= rule else [f"{where} has {len(value)} keys"]

    def _maxProperties(self, _schema, rule, value, where):
        return [] if len(value) <= rule else [f"{where} has {len(value)} keys"]

    def _maxLength(self, _schema, rule, value, where):
        return [] if len(value) <= rule else [f"{where} is longer than {rule}"]

    def _anyOf(self, _schema, rule, value, where):
        return [] if any(not self.faults(sub, value, where) for sub in rule) else [f"{where} is {value!r}: none of the kinds"]


class Tap:
    """Claims, numbered, and the plan at the end."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, sentence, holds, *explanation):
        self.count += 1
        self.failed += not holds
        print(f"{'ok' if holds else 'not ok'} {self.count} - {sentence}", flush=True)
        if not holds:
            for text in explanation:
                for line in str(text).splitlines():
                    print(f"#   {line}", flush=True)
        return holds

    def empty(self, sentence, faults):
        """Nothing is in a list of faults."""
        return self.ok(sentence, not faults, *faults)

    def done(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0
