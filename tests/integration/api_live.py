"""api_live.py SOCKET OPENAPI: part of test_api.sh: asks a live croftd for all kinds of answers, and holds each against
the schema that the document has for it; two operations at once; HEAD and OPTIONS."""
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import openapi  # noqa: E402

SOCKET, TAP, DOC = sys.argv[1], openapi.Tap(), openapi.Document(sys.argv[2])
PATIENCE = float(os.environ.get("T_PATIENCE", "40"))
STDIN, STDOUT, STDERR, EXIT = range(4)


class Connection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("croft", timeout=PATIENCE)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def ask(method, target, body=None, headers=None):
    """One request on a connection of its own: (status, headers, bytes)."""
    connection = Connection()
    data = None if body is None else json.dumps(body)
    connection.request(method, target, data, {**({"Content-Type": "application/json"} if body is not None else {}),
                                              **(headers or {})})
    answer = connection.getresponse()
    got = answer.read()
    connection.close()
    return answer.status, answer.headers, got


def path_of(method, target):
    """The path of the document that this target is one of."""
    for known, path in DOC.routes():
        if known == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), target.partition("?")[0]):
            return path
    raise ValueError(f"{method} {target} isn't described")


def faults(method, target, status, headers, got):
    try:
        media, schema = DOC.response_schema(method, path_of(method, target), status)
    except KeyError:
        return [f"{status} isn't described: {got!r}"]
    if media is None:
        return [] if not got else [f"a body where none is described: {got!r}"]
    if headers.get_content_type() != media:
        return [f"{headers.get_content_type()} instead of {media}"]
    return DOC.faults(schema, json.loads(got)) if media == "application/json" else []


def expect(expected, method, target, body=None, headers=None):
    """The answer has that status and is as described.  Its body, decoded."""
    status, got_headers, got = ask(method, target, body, headers)
    found = faults(method, target, status, got_headers, got)
    if status != expected:
        found.append(f"status {status} instead of {expected}: {got!r}")
    TAP.empty(f"{method} {target} {json.dumps(body) if body is not None else ''} is answered by {expected} as described", found)
    return json.loads(got) if got and got_headers.get_content_type() == "application/json" else got


def partitions():
    expect(200, "GET", "/v1")
    expect(200, "GET", "/v1/check")
    expect(200, "GET", "/v1/partitions")
    made = expect(201, "POST", "/v1/partitions", {"name": "live", "properties": {"description": "caf\u00e9 \U0001f980"}})
    TAP.ok("text comes back as it was sent", made["properties"]["description"] == "caf\u00e9 \U0001f980", made)
    expect(409, "POST", "/v1/partitions", {"name": "live"})
    expect(404, "POST", "/v1/partitions", {"name": "other", "image": "no-such-image"})
    expect(400, "POST", "/v1/partitions", {"name": "Other"})
    expect(415, "POST", "/v1/partitions", {"name": "other"}, {"Content-Type": "text/plain"})
    expect(413, "POST", "/v1/partitions", {"name": "x" * (1 << 20)})
    expect(400, "GET", "/v1/partitions?state=Asleep")
    expect(404, "GET", "/v1/partitions/nobody")
    expect(404, "PATCH", "/v1/partitions/nobody", {"name": "somebody"})
    expect(404, "DELETE", "/v1/partitions/nobody")
    expect(400, "PATCH", "/v1/partitions/live", {"properties": {"memory.max": "much"}})
    expect(200, "PATCH", "/v1/partitions/live", {"properties": {"memory.max": "256M"}})
    expect(409, "POST", "/v1/partitions/live/exec", {"argv": ["true"]},
           {"Connection": "Upgrade", "Upgrade": "croft-stream/1"})


def actions():
    expect(200, "POST", "/v1/partitions/live/load")
    expect(200, "POST", "/v1/partitions/live/start", {})
    for action in ("start", "stop", "restart", "kill", "freeze", "thaw", "load"):
        expect(404, "POST", f"/v1/partitions/nobody/{action}")
        expect(400, "POST", f"/v1/partitions/live/{action}", {"unknown": 1})
    expect(426, "POST", "/v1/partitions/live/exec", {"argv": ["true"]})
    expect(426, "POST", "/v1/partitions/live/console")
    expect(400, "POST", "/v1/partitions/live/exec", {"argv": []}, {"Connection": "Upgrade", "Upgrade": "croft-stream/1"})
    shown = expect(200, "GET", "/v1/partitions/live")
    listed = [p for p in expect(200, "GET", "/v1/partitions?state=active") if p["name"] == "live"]
    TAP.ok("list and show carry the same keys", [sorted(p) for p in listed] == [sorted(shown)], listed, shown)
    TAP.ok("a running partition has a pid and a time of start", shown["pid"] and shown["started"], shown)
    expect(200, "GET", "/v1/partitions/live/log")
    stats = expect(200, "GET", "/v1/stats")
    TAP.ok("statistics have its figures", any(p["name"] == "live" and p["cpu"]["system_ns"] is not None for p in stats["partitions"]), stats)
    expect(404, "GET", "/v1/partitions/nobody/log")
    expect(409, "DELETE", "/v1/partitions/live")
    devices()
    extensions()
    stopped = expect(200, "POST", "/v1/partitions/live/stop", {"force": True})
    expect(409, "POST", "/v1/partitions/live/devices", {"device": "/dev/net/tun"})
    TAP.ok("a stopped partition has an exit status and no pid", stopped["exit_status"] and stopped["pid"] is None, stopped)


def devices():
    path = "/v1/partitions/live/devices"
    expect(200, "GET", path)
    expect(400, "POST", path, {"device": "tun"})
    expect(403, "POST", path, {"device": "/dev/full", "as": "mine"})
    expect(404, "POST", path, {"device": "croft.test/nothing=one"})
    expect(404, "POST", "/v1/partitions/nobody/devices", {"device": "/dev/net/tun"})
    exported = expect(201, "POST", path, {"device": "/dev/net/tun", "as": "net/mine", "access": "r", "mode": "640", "gid": 6})
    TAP.ok("the answer lists what is exported", [d["name"] for d in exported] == ["net/mine"], exported)
    expect(409, "POST", path, {"device": "/dev/net/tun"})
    TAP.ok("all devices are those of one", expect(200, "GET", "/v1/devices") == expect(200, "GET", path))
    expect(400, "DELETE", path)
    expect(404, "DELETE", path + "?device=net/tun")
    expect(404, "DELETE", "/v1/partitions/nobody/devices?device=net/mine")
    expect(204, "DELETE", path + "?device=net%2Fmine")


def extensions():
    """What a module's file is, registered, granted, looked for in a partition, revoked."""
    path, grants = os.path.join(os.environ["T"], "live.ko"), "/v1/partitions/live/extensions"
    with open(path, "wb") as file:
        subprocess.run([os.path.join(HERE, "../kit/t-module"), "live"], stdout=file, check=True)
    expect(200, "GET", "/v1/extensions")
    TAP.ok("what isn't registered has no state", expect(200, "GET", f"/v1/identity?path={path}")["state"] is None)
    expect(400, "GET", "/v1/identity?path=live.ko")
    expect(404, "GET", "/v1/identity?path=/nowhere/live.ko")
    expect(422, "GET", "/v1/identity?path=/etc/passwd")
    expect(400, "POST", "/v1/extensions", {})
    expect(404, "POST", "/v1/extensions", {"package": "no-such-package"})
    made = expect(201, "POST", "/v1/extensions", {"path": path})
    TAP.ok("the answer has what is registered", [e["name"] for e in made] == ["live"], made)
    TAP.ok("by name and by SHA-256 it is the same", expect(200, "GET", "/v1/extensions/live") == expect(200, "GET", f"/v1/extensions/{made[0]['sha256']}"))
    expect(404, "GET", "/v1/extensions/nothing")
    expect(403, "GET", f"{grants}/check?path={path}")
    expect(400, "POST", grants, {"extension": "live", "parameters": "a b"})
    expect(404, "POST", grants, {"extension": "nothing"})
    granted = expect(201, "POST", grants, {"extension": "live", "local": True, "parameters": "a,b=1"})
    TAP.ok("the answer has what is granted", granted == expect(200, "GET", grants), granted)
    expect(200, "GET", f"{grants}/check?path={path}&parameters=b%3D1")
    expect(422, "GET", f"{grants}/check?path=/etc/passwd")
    expect(200, "POST", "/v1/partitions/live/scan")
    expect(200, "GET", "/v1/partitions/live/scan")
    expect(404, "POST", "/v1/partitions/nobody/scan")
    expect(200, "POST", "/v1/extensions/live/supersede")
    expect(409, "GET", f"{grants}/check?path={path}")
    expect(200, "POST", f"/v1/extensions/{made[0]['sha256']}/revoke")
    expect(403, "POST", "/v1/extensions", {"path": path})
    expect(404, "DELETE", f"{grants}?extension=nothing")
    expect(204, "DELETE", f"{grants}?extension=live")


def frame(kind, data=b""):
    return struct.pack(">B3xI", kind, len(data)) + data


def stream(path, body, early=b"", late=b""):
    """Upgrades, with frames sent together with the request and others after 101: all output, the exit status (None: the
    stream ended without), what ERROR said."""
    data = json.dumps(body).encode() if body is not None else b""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(SOCKET)
        s.settimeout(PATIENCE)
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: croft-stream/1\r\n"
                  f"Content-Length: {len(data)}\r\n\r\n".encode() + data + early)
        reader = s.makefile("rb")
        status = reader.readline()
        while reader.readline() not in (b"\r\n", b""):
            pass
        if b" 101 " not in status:
            return status, None, reader.read()
        try:
            s.sendall(late)
        except BrokenPipeError:
            pass  # the command has ended without it, and what it said is there to be read
        out, error = b"", b""
        while head := reader.read(8):
            kind, size = struct.unpack(">B3xI", head)
            data = reader.read(size)
            if kind == EXIT:
                return out, struct.unpack(">I", data)[0], error
            out, error = (out + data, error) if kind in (STDOUT, STDERR) else (out, error + data)
        return out, None, error


def streams():
    """Commands inside, with input that comes before and after the switch of the protocol."""
    path = "/v1/partitions/live/exec"
    expect(200, "POST", "/v1/partitions/live/start")
    got = stream(path, {"argv": ["cat"]}, late=frame(STDIN, b"late") + frame(STDIN))
    TAP.ok("a command gets its input and gives its output and status", got == (b"late", 0, b""), got)
    got = stream(path, {"argv": ["cat"]}, early=frame(STDIN, b"early ") + frame(STDIN, b"x" * 30000)[:10], late=b"x" * 29998 + frame(STDIN))
    TAP.ok("frames sent with the request arrive, cut where it may be", got == (b"early " + b"x" * 30000, 0, b""), got)
    got = stream(path, {"argv": ["sh", "-c", 'echo "$A"; exit 42'], "environment": {"A": "caf\u00e9\t\u0001"}}, early=frame(STDIN))
    TAP.ok("environment and status pass", got == ("caf\u00e9\t\u0001\n".encode(), 42, b""), got)
    got = stream(path, {"argv": ["/no/such/program"]})
    TAP.ok("what isn't there is 127 with a reason", got[1] == 127 and got[2], got)
    got = stream(path, {"argv": ["/etc"]})
    TAP.ok("what can't be run is 126 with a reason", got[1] == 126 and got[2], got)
    got = stream(path, {"argv": ["id", "-un"], "user": "no-such-user"})
    TAP.ok("a user that isn't there is croft's own failure, 125", got[1] == 125 and got[2], got)
    many = at_once(20, lambda: stream(path, {"argv": ["cat"]}, late=frame(STDIN, b"x" * 1000) + frame(STDIN)))
    TAP.ok("twenty commands at once each get their own", many == [(b"x" * 1000, 0, b"")] * 20, many)
    expect(200, "POST", "/v1/partitions/live/freeze")
    expect(409, "POST", path, {"argv": ["true"]}, {"Connection": "Upgrade", "Upgrade": "croft-stream/1"})
    expect(200, "POST", "/v1/partitions/live/thaw")
    expect(200, "POST", "/v1/partitions/live/stop", {"force": True})


def images():
    expect(200, "GET", "/v1/images")
    expect(404, "GET", "/v1/images/no-such-image")
    expect(404, "DELETE", "/v1/images/no-such-image")
    expect(400, "POST", "/v1/images", {"name": "x"})
    expect(404, "POST", "/v1/images", {"name": "x", "import": {"path": "/no/such/file"}})


def methods():
    for path in ("/v1", "/v1/partitions", "/v1/partitions/live", "/v1/images", "/v1/events", "/v1/partitions/live/log"):
        status, headers, got = ask("HEAD", path)
        TAP.ok(f"HEAD {path} has a header and no body", status == 200 and not got and headers.get("Content-Type"), status, got)
    for path in sorted({p for _, p in DOC.routes()}):
        status, headers, got = ask("OPTIONS", path.replace("{name}", "live"))
        allowed = set(headers.get("Allow", "").split(", ")) - {"HEAD", "OPTIONS"}
        described = {m for m, p in DOC.routes() if p == path}
        TAP.ok(f"OPTIONS {path} tells its methods", status == 204 and allowed == described and not got, allowed, described)


def at_once(count, act):
    """What act() gave in each of count threads that began together."""
    gate, results, threads = threading.Barrier(count), [], []

    def run():
        gate.wait()
        results.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def concurrency():
    """Operations on one partition at once: each is done or refused with 409; nothing between, and it all adds up."""
    listing, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            listing.append(ask("GET", "/v1/partitions")[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = [s for s, _, _ in at_once(8, lambda: ask("POST", "/v1/partitions/live/start"))]
    TAP.ok("of eight starts at once some succeed and the others are 409", set(started) <= {200, 409} and 200 in started, started)
    TAP.ok("and it runs", json.loads(ask("GET", "/v1/partitions/live")[2])["state"] == "Active")
    mixed = at_once(8, lambda: ask("POST", "/v1/partitions/live/restart", {"force": True})[0])
    TAP.ok("of eight restarts at once some succeed and the others are 409", set(mixed) <= {200, 409} and 200 in mixed, mixed)
    made = at_once(8, lambda: ask("POST", "/v1/partitions", {"name": "race"})[0])
    TAP.ok("of eight creations of one name one succeeds", sorted(made) == [201] + [409] * 7, made)
    gone = at_once(8, lambda: ask("DELETE", "/v1/partitions/race?force=1")[0])
    TAP.ok("of eight removals one succeeds", gone.count(204) == 1 and set(gone) <= {204, 404, 409}, gone)
    stop.set()
    watcher.join()
    TAP.ok("the list was answered all the while", listing and set(listing) == {200}, set(listing))


def events():
    """Lines as described come while a partition is made and goes."""
    connection = Connection()
    connection.request("GET", "/v1/events")
    answer = connection.getresponse()
    ask("POST", "/v1/partitions", {"name": "seen"})
    ask("DELETE", "/v1/partitions/seen")
    event = {}
    while event.get("partition") != "seen":  # or the end of what comes
        line = answer.readline()
        if not line:
            break
        event = json.loads(line)
    schema = DOC.response_schema("GET", "/v1/events", 200)[1]
    TAP.empty("an event is as described", DOC.faults(schema, event))
    TAP.ok("and tells of the partition", event.get("partition") == "seen", event)
    connection.close()


def main():
    partitions()
    actions()
    streams()
    images()
    methods()
    concurrency()
    events()
    expect(204, "DELETE", "/v1/partitions/live?force=true")
    return TAP.done()


sys.exit(main())
