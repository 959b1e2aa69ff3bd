#!/usr/bin/python3 -B
# where: here
"""docs/openapi.yaml and the table of routes in src/daemon/api_routes.c say the same; the document is sound in itself."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
import openapi  # noqa: E402

ROUTE = re.compile(r'\{"([A-Z]+)", "(/[^"]*)", (NULL|"[^"]*"), ([A-Z_0| ]+), api_\w+\}')


def table():
    """(METHOD, path) -> (names of the parameters, whether it takes a body)."""
    with open(os.path.join(TOP, "src/daemon/api_routes.c"), encoding="utf-8") as f:
        source = f.read()
    return {(m, p): (set() if q == "NULL" else set(q.strip('"').split()), "API_TAKES_BODY" in flags)
            for m, p, q, flags in ROUTE.findall(source)}


def main():
    tap, doc, routes = openapi.Tap(), openapi.Document(os.path.join(TOP, "docs/openapi.yaml")), table()
    described = doc.routes()
    tap.ok("the table of routes is found", len(routes) > 10, sorted(routes))
    tap.empty("every route is described", sorted(set(routes) - described))
    tap.empty("nothing is described that isn't a route", sorted(described - set(routes)))
    both = sorted(described & set(routes))
    tap.empty("the parameters of each route are those described",
              [f"{m} {p}: {routes[m, p][0]} {doc.parameters(m, p, 'query')}" for m, p in both
               if routes[m, p][0] != doc.parameters(m, p, "query")])
    tap.empty("a body is described where one is taken, and nowhere else",
              [f"{m} {p}" for m, p in both if routes[m, p][1] != ("requestBody" in doc.operation(m, p))])
    tap.empty("each hole of a path is a parameter of it",
              [f"{m} {p}" for m, p in both if set(re.findall(r"\{(\w+)\}", p)) != doc.parameters(m, p, "path")])
    broken = []
    for ref in doc.references():
        try:
            doc.resolve({"$ref": ref})
        except KeyError:
            broken.append(ref)
    tap.empty("every reference leads somewhere", broken)
    parts = {f"#/components/{kind}/{name}" for kind, group in doc.tree["components"].items() for name in group}
    tap.empty("every component is used", sorted(parts - doc.references()))
    ids = [doc.operation(m, p)["operationId"] for m, p in sorted(described)]
    tap.ok("operations have names of their own", len(ids) == len(set(ids)), sorted(ids))
    return tap.done()


sys.exit(main())
