"""api_hostile.py SOCKET: part of test_api_hostile.sh: what no client should do, one claim each; after each, the same croftd
still answers.  It must have been started with CROFT_API_TIMEOUT, a few seconds."""
import ctypes
import json
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import openapi  # noqa: E402

SOCKET, TAP = sys.argv[1], openapi.Tap()
PATIENCE = float(os.environ.get("T_PATIENCE", "40"))
SILENCE = int(os.environ["CROFT_API_TIMEOUT"])  # seconds that a client may be silent
POST = b"POST /v1/partitions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
TRIALS = []


def dial():
    s = socket.socket(socket.AF_UNIX)
    s.connect(SOCKET)  # blocking: a full backlog is waited for
    s.settimeout(PATIENCE)
    return s


def drain(s):
    """All that comes until the other side ends it; TimeoutError: it never does."""
    got = b""
    try:
        while data := s.recv(65536):
            got += data
    except (ConnectionResetError, BrokenPipeError):
        pass
    return got


def push(s, data):
    """Sends what the other side takes; it may hang up."""
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def talk(data, end=False):
    """Sends bytes; the whole answer.  end: says that no more will come."""
    with dial() as s:
        push(s, data)
        if end:
            s.shutdown(socket.SHUT_WR)
        return drain(s)


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def get(target="/v1", method="GET"):
    return talk(f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


def body(data, headers=b""):
    return talk(POST + headers + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(data) + data)


def pid():
    """The process that answers.  While connections just hung up still count, croftd says to come again: so one does."""
    end = time.monotonic() + PATIENCE
    while status(answer := get()) == 503 and time.monotonic() < end:
        time.sleep(0.1)
    return json.loads(answer.partition(b"\r\n\r\n")[2])["pid"] if status(answer) == 200 else None


def trial(sentence):
    def keep(f):
        TRIALS.append((sentence, f))
        return f
    return keep


# Each trial returns None when all is well, else what is wrong.

@trial("bodies that aren't what they should be are refused with 400 and a reason")
def wrong_bodies():
    for data in (b"x", b"{", b"[]", b"null", b"{}", b'"\xff"', b'{"name":1}', b'{"name":"a","name":"b"}', b"\0", b"[" * 100000,
                 b'{"a":' * 5000, b'{"name":"' + b"x" * 1000 + b'"}', b'{"name":"a\\u0000"}', b'{"name":"a"}x', b"1e999999", b"-",
                 b'{"name":"..","image":"../../etc"}',
                 b'{"' + b"k" * 500000 + b'":1}', b'{"name":"x","properties":{' + b",".join(b'"%d":1' % i for i in range(50000)) + b"}}"):
        answer = body(data)
        if status(answer) != 400 or not json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["text"]:
            return data[:60], answer


@trial("no text of the client comes back raw")
def raw_text():
    for answer in (body(b'{"name":"\\u001b[2J\\u202e"}'), body(b'{"\\u001b[2J":1}'), body(b'{"x":\x1b[2J'), get("/v1/%1b%5b2J"),
                   get("/v1/partitions/%1b%5b2J"), get("/v1/partitions?%1b=1"), get("/v1/images/%1b%5b2J")):
        if b"\x1b" in answer or b"\xe2\x80\xae" in answer or status(answer) not in (400, 404):
            return answer


@trial("a body above 1 MiB is 413, announced or in chunks")
def huge_bodies():
    for data in (POST + b"Content-Length: 999999999999\r\n\r\n", POST + b"Content-Length: 2000000\r\n\r\n" + b" " * 2000000,
                 POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 20 + b"0\r\n\r\n",
                 POST + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"):
        answer = talk(data, end=True)
        if status(answer) != 413:
            return data[:120], answer


@trial("a body without end is cut off")
def endless_body():
    with dial() as s:
        s.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(10000):
                s.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return None
    return "it took 650 MB"


@trial("a body that comes too slowly is given up")
def slow_body():
    with dial() as s:
        s.sendall(POST + b"Content-Length: 100000\r\n\r\n")
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                s.sendall(b" ")
                time.sleep(0.3)
        except (BrokenPipeError, ConnectionResetError):
            return None
    return f"a byte now and then was taken for {PATIENCE} seconds"


@trial("a client that says nothing, or half of what it should, is hung up on")
def silent_clients():
    for data in (b"", b"GET", b"GET /v1 HTTP/1.1\r\nHost: x\r\n", POST + b"Content-Length: 10\r\n\r\n{"):
        answer = talk(data)
        if answer and status(answer) in (200, 201):
            return data, answer


@trial("a body that is cut off does nothing")
def cut_off():
    for cut in range(1, 15):
        with dial() as s:
            s.sendall(POST + b"Content-Length: 15\r\n\r\n" + b'{"name":"half"}'[:cut])
    if b"half" in get("/v1/partitions"):
        return "a partition came of it"


@trial("lengths that are no numbers, or two of them, are refused")
def bad_lengths():
    for length in (b"-1", b"abc", b"0x10", b"18446744073709551616", b"99999999999999999999999999", b"1 2", b"+5"):
        answer = talk(POST + b"Connection: close\r\nContent-Length: " + length + b"\r\n\r\n{}", end=True)
        if status(answer) in (200, 201):
            return length, answer


@trial("chunks that are malformed are refused")
def bad_chunks():
    for chunk in (b"zz\r\n{}\r\n", b"-1\r\n", b"fffffffffffffffff\r\n", b"2\r\n{}x\r\n0\r\n\r\n", b"\r\n\r\n", b"2;" + b"e" * 70000):
        answer = talk(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, end=True)
        if status(answer) in (200, 201):
            return chunk[:20], answer


@trial("a header that doesn't end is refused")
def long_header():
    for data in (b"GET /v1 HTTP/1.1\r\nX: " + b"y" * 200000, b"GET /v1 HTTP/1.1\r\n" + b"A: b\r\n" * 50000,
                 b"GET /" + b"x" * 200000 + b" HTTP/1.1\r\n\r\n", b"X" * 200000):
        answer = talk(data, end=True)
        if status(answer) == 200:
            return answer


@trial("binary junk harms nothing")
def junk():
    noise = random.Random(4711)
    for size in (1, 10, 100, 1000, 10000, 100000):
        answer = talk(noise.randbytes(size), end=True)
        if status(answer) in (200, 201):
            return answer
    talk(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), end=True)  # the beginning of TLS
    talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", end=True)


@trial("methods that nobody knows are refused")
def methods():
    for method in ("PUT", "TRACE", "CONNECT", "get", "FOO", "X" * 5000, "PROPFIND"):
        answer = get("/v1/partitions", method)
        if status(answer) in (200, 201):
            return method, answer
    if status(get("/v1/partitions", "PUT")) != 405 or b"Allow: GET, HEAD, POST, OPTIONS" not in get("/v1/partitions", "PUT"):
        return "no 405 with Allow"


@trial("paths that go round about lead nowhere")
def paths():
    for target in ("/v1/../v1", "/v1/./partitions", "//v1", "/v1//partitions", "/v1/", "/v1/%2e%2e/v1", "/%76%31/%2e", "/v1%2fpartitions",
                   "/v1/partitions/%2e%2e", "/v1/partitions/..%2f..%2fetc", "/v1/partitions/%00", "/v1/partitions/a%00b", "/v1/%", "/v1/%4",
                   "/v1/%zz", "/v1/partitions/" + "x" * 8000, "/" + "a/" * 5000, "/v1?" + "a&" * 3000, "/v1?a=%00", "/v1#x", "v1", "/v1\\partitions",
                   "/V1", "/v1/partitions/\u00e4"):
        answer = get(target)
        if answer and status(answer) not in (400, 404, 414, 431):  # b"": more than the library holds of a header
            return target[:60], answer
    answer = talk(b"GET /v1\0/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", end=True)
    if b"[" in answer.partition(b"\r\n\r\n")[2]:
        return answer


@trial("a thousand requests in one go are answered one after another")
def pipelining():
    one = b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n"
    with dial() as s:
        sender = threading.Thread(target=push, args=(s, one * 999 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
        sender.start()
        answer = drain(s)
        sender.join()
    if answer.count(b"HTTP/1.1 200 ") != 1000:
        return answer.count(b"HTTP/1.1 200 ")


@trial("who asks a thousand times and never reads is hung up on")
def never_reads():
    with dial() as s:
        s.settimeout(0.2)
        sent = 0
        try:
            while sent < 100 << 20:
                sent += s.send(b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        except TimeoutError:
            pass  # both buffers are full now
        except (BrokenPipeError, ConnectionResetError):
            return None
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                s.send(b"x")
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return None
    return "it may stay for ever"


@trial("who subscribes to events and never reads keeps nobody from working")
def events_unread():
    with dial() as s:
        s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(20):
            answer = body(b'{"name":"noise"}')
            if status(answer) != 201:
                return answer
            answer = get("/v1/partitions/noise", "DELETE")
            if status(answer) != 204:
                return answer


@trial("an operation may take longer than a client may be silent")
def long_operation():
    if status(body(b'{"name":"slow","properties":{"init":"/bin/sleep 1000"}}')) != 201:
        return "no partition to try it in"
    try:
        get("/v1/partitions/slow/start", "POST")
        order = b'{"timeout_ms": %d}' % (3000 * SILENCE)
        answer = talk(b"POST /v1/partitions/slow/stop HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n%s" % (len(order), order))
        return None if status(answer) == 200 and b'"state":"Defined"' in answer else answer
    finally:
        get("/v1/partitions/slow?force=1", "DELETE")


@trial("events come after a silence longer than that, too")
def events_after_silence():
    with dial() as s:
        s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        got = s.recv(4096)
        time.sleep(2 * SILENCE)
        body(b'{"name":"late"}')
        get("/v1/partitions/late", "DELETE")
        while b'"late"' not in got:
            more = s.recv(4096)
            if not more:
                return got
            got += more


@trial("each of 300 connections at once is served or told to come again")
def many_connections():
    sockets = []
    for _ in range(300):
        sockets.append(dial())
        sockets[-1].sendall(b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = [status(s.recv(65536)) for s in sockets]
    for s in sockets:
        s.close()
    if not set(answers) <= {200, 503}:
        return {a: answers.count(a) for a in set(answers)}


@trial("connections that come and go at once, without a word, harm nothing")
def fleeting():
    for _ in range(1000):
        dial().close()


@trial("frames on a stream that nobody knows end it")
def bad_frames():
    request = b"POST /v1/partitions/frames/exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: croft-stream/1\r\nContent-Length: %d\r\n\r\n%s"
    command = b'{"argv":["sleep","1000"]}'
    if status(body(b'{"name":"frames"}')) != 201 or status(get("/v1/partitions/frames/start", "POST")) != 200:
        return "no partition to try it in"
    try:
        for frame in (b"\xff" * 100, struct.pack(">B3xI", 0, 1 << 31), b"\0\1\0\0" + bytes(4), struct.pack(">B3xI", 99, 0)):
            with dial() as s:
                s.sendall(request % (len(command), command))
                answer = b""
                while b"\r\n\r\n" not in answer:
                    answer += s.recv(4096)
                if status(answer) != 101:
                    return answer
                push(s, frame)
                drain(s)  # ends, or the time-out is an exception
    finally:
        get("/v1/partitions/frames?force=1", "DELETE")


def speak_as(prepare, data):
    """What croftd answers to bytes that a child sends on a connection of ours, after prepare() in the child."""
    with dial() as s:
        ready, go = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                prepare()
                s.sendall(data)
                os.read(ready, 1)  # a sender that is dead would be refused for that
            finally:
                os._exit(0)
        try:
            return drain(s)
        finally:
            os.write(go, b"x")
            os.waitpid(child, 0)
            os.close(ready)
            os.close(go)


ASK = b"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@trial("a connection of root is of use to a child that is root")
def passed_to_root():
    answer = speak_as(lambda: None, ASK)
    return None if status(answer) == 200 else answer


@trial("a connection of root is of no use to another user")
def passed_to_nobody():
    answer = speak_as(lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534)), ASK)
    return None if status(answer) == 403 else answer


def enter_user_namespace():
    if ctypes.CDLL(None).unshare(0x10000000) != 0:  # CLONE_NEWUSER
        os._exit(1)


@trial("nor to root of another user namespace, even one whose root is the host's")
def passed_to_namespace():
    def mapped():
        enter_user_namespace()
        with open("/proc/self/uid_map", "w", encoding="ascii") as f:
            f.write("0 0 1")
    for prepare in (enter_user_namespace, mapped):
        answer = speak_as(prepare, ASK)
        if status(answer) != 403:
            return answer


@trial("nor to a process that is in a partition")
def passed_into_partition():
    if status(body(b'{"name":"inside"}')) != 201:
        return "no partition to try it in"
    try:
        answer = get("/v1/partitions/inside/start", "POST")
        init = json.loads(answer.partition(b"\r\n\r\n")[2])["pid"]

        def enter():
            fd = os.open(f"/proc/{init}/ns/user", os.O_RDONLY)
            if ctypes.CDLL(None).setns(fd, 0x10000000) != 0:  # CLONE_NEWUSER
                os._exit(1)
            os.setuid(0)  # root of the partition
        answer = speak_as(enter, ASK)
        return None if status(answer) == 403 else answer
    finally:
        get("/v1/partitions/inside?force=1", "DELETE")


@trial("a request that another user completes is refused, and does nothing")
def completed_by_another():
    with dial() as s:
        s.sendall(POST + b"Connection: close\r\nContent-Length: 17\r\n\r\n")
        child = os.fork()
        if child == 0:
            try:
                os.setuid(65534)
                s.sendall(b'{"name":"foreign"}'[:17])
                s.recv(1)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    if b"foreign" in get("/v1/partitions"):
        return "a partition came of it"


@trial("another user can't connect")
def connect_as_another():
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        try:
            dial()
        except PermissionError:
            os._exit(0)
        os._exit(1)
    return None if os.waitpid(child, 0)[1] == 0 else "it could"


def resources(process):
    return len(os.listdir(f"/proc/{process}/fd")), len(os.listdir(f"/proc/{process}/task"))


def main():
    first = pid()
    before = resources(first)
    for sentence, f in TRIALS:
        try:
            wrong = f()
        except TimeoutError:
            wrong = "croftd neither answered nor hung up"
        TAP.ok(sentence, wrong is None, wrong)
        now = pid()
        if not TAP.ok(f"  and croftd answers ({f.__name__})", now == first, f"pid {now} instead of {first}"):
            break
    end = time.monotonic() + PATIENCE
    while any(now > then for now, then in zip(resources(first), before)) and time.monotonic() < end:
        time.sleep(0.1)
        pid()  # what is over is noticed when a connection ends
    after = resources(first)
    TAP.ok("descriptors and threads are as many as before", all(now <= then for now, then in zip(after, before)), before, after)
    return TAP.done()


sys.exit(main())
