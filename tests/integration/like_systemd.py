#!/usr/bin/env python3
# like_systemd.py REAL-CROFTD ARGUMENT...: plays the part of systemd for croftd: NOTIFY_SOCKET, the descriptor store, and
# Restart=on-failure.  SIGTERM is passed on.  Says in the file $T/notify.log what it was told.
import array, os, select, signal, socket, sys

top = os.environ["T"]
path = top + "/notify"
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(path)
log = open(top + "/notify.log", "a", buffering=1)
store = {}  # name: descriptor


def take(message, fds):
    words = dict(line.split("=", 1) for line in message.decode().split("\n") if "=" in line)
    name = words.get("FDNAME")
    log.write(" ".join(f"{k}={v}" for k, v in words.items()) + f" +{len(fds)}\n")
    if words.get("FDSTOREREMOVE") == "1" and name in store:
        os.close(store.pop(name))
    elif words.get("FDSTORE") == "1" and fds:
        store[name] = fds.pop(0)
    for fd in fds:
        os.close(fd)


def receive():
    data, ancillary, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
    fds = array.array("i")
    for level, kind, body in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(body[: len(body) - len(body) % 4])
    take(data, list(fds))


def start():
    names = sorted(store)
    pid = os.fork()
    if pid:
        return pid
    # The stored descriptors become 3, 4, ...; first out of the way of one another.
    high = [os.dup2(store[n], 500 + i) for i, n in enumerate(names)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i, inheritable=True)
    os.closerange(3 + len(names), 600)
    environment = dict(os.environ, NOTIFY_SOCKET=path)
    if names:
        environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
    os.execve(sys.argv[1], sys.argv[1:], environment)


child = start()
open(top + "/croftd.pid", "w").write(str(child))
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
while True:
    if select.select([listener], [], [], 0.05)[0]:
        receive()
        continue
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        continue
    if not os.WIFSIGNALED(status):
        sys.exit(os.WEXITSTATUS(status))
    child = start()
    open(top + "/croftd.pid", "w").write(str(child))
