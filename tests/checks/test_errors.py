#!/usr/bin/python3 -B
# where: here
"""docs/errors.schema.json and docs/errors.xsd hold for what the command line prints of hostile books of errors, which
tests/unit/test_cli_errors.c makes; they say the same of it; and they refuse what is none."""
import copy
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import jsonschema

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SANITIZED = os.path.join(TOP, "build-asan")  # where unit tests are (tests/run)
XSD = os.path.join(TOP, "docs/errors.xsd")
SPACE = "{urn:croft:errors:1}"
sys.path.insert(0, os.path.join(TOP, "tests"))
import openapi  # noqa: E402

BOOK = {"partition": "web", "id": 7, "attempt": 2, "operation": "start", "began": "2026-11-21T09:00:00.123Z",
        "refused": {"own": 0, "reserved": 0}, "records": []}
RECORD = {"seq": 3, "attempt": 2, "cause": 2, "time": "2026-11-21T09:00:00.123Z", "source": "remote", "inside": False,
          "severity": "warning",
          "component": "croftd", "host": "two", "errno": 2, "error": "ENOENT", "pid": 1, "tid": 1, "catalogue": "croft", "set": 1,
          "number": 2, "format": "open '%s'", "arguments": ["x"], "message": "open 'x': No such file or directory"}

# Values that no record has.  An attribute of XML has no type but a text, so that some are for JSON only.
WRONG = [("seq", 0), ("seq", -1), ("seq", "x"), ("attempt", -1), ("cause", 0), ("time", "2026-13-21T09:00:00.123Z"),
         ("time", "2026-11-21T09:00:00Z"), ("time", "2026-11-21T09:00:00.123+01:00"), ("source", "user"), ("severity", ""), ("inside", "perhaps"),
         ("errno", 2147483648), ("error", "No such file"), ("pid", -1), ("tid", 4294967296), ("set", -1), ("number", ""),
         ("component", "a\nb"), ("host", "\t"), ("catalogue", "\x9b"), ("unheard-of", "x")]
WRONG_BOOK = [("id", -1), ("attempt", -1), ("began", "yesterday"), ("unheard-of", "x")]
NEEDED = ["seq", "attempt", "time", "source", "inside", "severity", "component", "format", "message"]
NEEDED_BOOK = ["partition", "attempt"]
NEEDED_TOGETHER = ["errno", "error", "pid", "tid", "set", "number"]  # JSON Schema can say so


def as_text(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def date_time(value):
    """For "format": in the library, what checks it is a package of its own."""
    try:
        datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (TypeError, ValueError):
        return not isinstance(value, str)
    return True


class Json:
    def __init__(self):
        with open(os.path.join(TOP, "docs/errors.schema.json"), encoding="utf-8") as f:
            self.schema = json.load(f)
        checker = jsonschema.FormatChecker()
        checker.checks("date-time")(date_time)
        self.validator = jsonschema.Draft202012Validator(self.schema, format_checker=checker)

    def faults(self, value):
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in self.validator.iter_errors(value)]


def xml_of(book):
    """A book in JSON as the command line would say it in XML."""
    book = {**book, "refused-own": book["refused"]["own"], "refused-reserved": book["refused"]["reserved"]}
    root = ElementTree.Element(SPACE + "errors", {k: str(v) for k, v in book.items() if k not in ("refused", "records")})
    for record in book["records"]:
        inner = ("format", "arguments", "message")
        element = ElementTree.SubElement(root, SPACE + "record", {k: as_text(v) for k, v in record.items() if k not in inner})
        for name in inner:
            values = record.get(name, [])
            for value in values if isinstance(values, list) else [values]:
                ElementTree.SubElement(element, SPACE + name.replace("arguments", "argument")).text = str(value)
    return root


def json_of(root):
    """A document as text to text, for a comparison."""
    records = [{**e.attrib, "format": e.findtext(SPACE + "format"), "message": e.findtext(SPACE + "message"),
                "arguments": [a.text or "" for a in e.findall(SPACE + "argument")]} for e in root.findall(SPACE + "record")]
    return {**root.attrib, "records": records}


def flat(book):
    """A book in JSON as json_of() has it."""
    records = [{k: v if isinstance(v, list) else as_text(v) for k, v in record.items()} for record in book["records"]]
    result = {k: str(v) for k, v in book.items() if k not in ("refused", "records")}
    return {**result, "refused-own": str(book["refused"]["own"]), "refused-reserved": str(book["refused"]["reserved"]),
            "records": records}


def xmllint(paths):
    """path -> is it valid by the XSD?"""
    done = subprocess.run(["xmllint", "--noout", "--schema", XSD, *paths], stderr=subprocess.PIPE, text=True, check=False)
    valid = set(re.findall(r"^(.*) validates$", done.stderr, re.M))
    return {path: path in valid for path in paths}


def changed(key=None, value=None, book_key=None, book_value=None):
    """A sound book with one value changed; None: left out."""
    book = copy.deepcopy(BOOK)
    book["records"] = [copy.deepcopy(RECORD)]
    for where, k, v in ((book["records"][0], key, value), (book, book_key, book_value)):
        if k and v is None:
            del where[k]
        elif k:
            where[k] = v
    return book


def check_printed(tap, schema, folder):
    made = subprocess.run([os.path.join(SANITIZED, "tests/unit/test_cli_errors")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False, env={**os.environ, "CROFT_ERRORS_DIR": folder})
    names = sorted(os.path.join(folder, name[:-5]) for name in os.listdir(folder) if name.endswith(".json"))
    tap.ok("the unit test leaves what it printed", made.returncode == 0 and len(names) > 50, made.stdout[-2000:])
    faults, differences = [], []
    for name in names:
        with open(name + ".json", encoding="utf-8") as f:
            book = json.load(f)
        faults += [f"{name}: {fault}" for fault in schema.faults(book)]
        if json_of(ElementTree.parse(name + ".xml").getroot()) != flat(book):
            differences.append(name)
    tap.empty("all JSON is as its schema says", faults[:20])
    tap.empty("all XML is as its schema says", [p for p, valid in xmllint([name + ".xml" for name in names]).items() if not valid])
    tap.empty("XML and JSON say the same", differences)


def check_refused(tap, schema, folder):
    sound = changed()
    wrong = [changed(key, value) for key, value in WRONG] + [changed(None, None, key, value) for key, value in WRONG_BOOK]
    wrong += [changed(key) for key in NEEDED] + [changed(None, None, key) for key in NEEDED_BOOK]
    json_only = [changed(key) for key in NEEDED_TOGETHER] + [changed("seq", "3"), changed("arguments", "x"), changed("arguments")]
    paths = []
    for i, book in enumerate([sound, *wrong, {**sound, "records": [RECORD, RECORD]}]):
        paths.append(os.path.join(folder, f"{i}.xml"))
        ElementTree.ElementTree(xml_of(book)).write(paths[-1], encoding="utf-8", xml_declaration=True)
    valid = xmllint(paths)
    tap.empty("a sound book is valid JSON", schema.faults(sound))
    tap.ok("and valid XML", valid[paths[0]])
    tap.empty("what is no book is refused in JSON", [json.dumps(book) for book in wrong + json_only if not schema.faults(book)])
    tap.empty("and in XML", [json.dumps(book) for book, path in zip(wrong, paths[1:]) if valid[path]])
    tap.ok("so is a number that is given twice", not valid[paths[-1]])


def main():
    tap, schema = openapi.Tap(), Json()
    try:
        jsonschema.Draft202012Validator.check_schema(schema.schema)
        fault = ""
    except jsonschema.SchemaError as e:
        fault = str(e)
    tap.ok("the JSON schema is one", not fault, fault)
    with tempfile.TemporaryDirectory() as folder:
        check_printed(tap, schema, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_refused(tap, schema, folder)
    return tap.done()


sys.exit(main())
