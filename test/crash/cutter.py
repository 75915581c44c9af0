"""A proxy that takes the power from a disk on the thread that reads the server's answer.

What was read before the cut is passed on; nothing is afterwards, as from a machine without power:
what the server still says counts for nothing, since the system may claim to have synced what it
dropped.

Lines of JSON on standard input: {"disk": path}, {"open": port, "tls": bool} -> {"port": n},
{"arm": regex, "after": n} -> {"cut": seconds} when the n-th matching answer has been read: the
octets are the last that are passed on. {"now": true} cuts at once. Ends when standard input does.
"""

import fcntl
import json
import os
import re
import selectors
import socket
import ssl
import struct
import sys
import time

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2

selector = selectors.DefaultSelector()
state = {"disk": None, "pattern": None, "after": 0, "dead": False}


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def cut():
    fcntl.ioctl(state["disk"], EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    state["pattern"] = None
    state["dead"] = True
    os.close(state["disk"])
    say(cut=time.monotonic())


def watch(octets):
    pattern = state["pattern"]
    if pattern is None:
        return
    state["after"] -= len(pattern.findall(octets))
    if state["after"] <= 0:
        cut()


def accept(listener, port, tls):
    near, _ = listener.accept()
    if state["dead"]:
        near.close()
        return
    try:
        far = socket.create_connection(("127.0.0.1", port))
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            far = context.wrap_socket(far)
    except OSError:
        near.close()
        return
    for one in (near, far):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(near, selectors.EVENT_READ, lambda: forward(near, far, False))
    selector.register(far, selectors.EVENT_READ, lambda: forward(far, near, True))


def forward(source, target, is_answer):
    if state["dead"]:
        return close(source, target)
    try:
        octets = source.recv(65536)
        while is_answer and isinstance(source, ssl.SSLSocket) and source.pending():
            octets += source.recv(65536)
        if octets and is_answer:
            watch(octets)
        if octets:
            target.sendall(octets)
            return
    except OSError:
        pass
    close(source, target)


def close(*sockets):
    for one in sockets:
        try:
            selector.unregister(one)
        except (KeyError, ValueError):
            pass
        one.close()


def listen(port, tls):
    listener = socket.create_server(("127.0.0.1", 0))
    selector.register(listener, selectors.EVENT_READ, lambda: accept(listener, port, tls))
    say(port=listener.getsockname()[1])


def command():
    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(0)
    order = json.loads(line)
    if "disk" in order:
        state["disk"] = os.open(order["disk"], os.O_RDONLY)
        say(disk=True)
    elif "open" in order:
        listen(order["open"], order["tls"])
    elif "now" in order:
        cut()
    else:
        state["pattern"] = re.compile(order["arm"].encode(), re.M)
        state["after"] = order["after"]
        say(armed=True)


selector.register(sys.stdin, selectors.EVENT_READ, command)
while True:
    for key, _ in selector.select():
        key.data()
