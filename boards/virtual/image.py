# Files in and out of a virtual board's flash while it is off.
# MIT licence.
"""`VIRTUAL_BOARD='{"flash": PATH, ...}' micropython -X heapsize=16m image.py`, driven by VirtualBoard over stdin, stdout.

Requests are lines of JSON, answers too: {"put": path, "size": n} followed by n bytes, {"get": path}, {"remove": path} (a
whole tree, absence is fine), {"list": path}, {"free": 0}, {"run": code, "show": expression} for code that a board would
run at its console without being booted; the answer is {"shown": repr}. An answer {"size": n} is followed by n bytes;
{"error": text} says what went wrong. Blank flash is formatted first."""

import json
import os
import sys

import nor
import vfs

_o = json.loads(os.getenv("VIRTUAL_BOARD"))
_in = sys.stdin.buffer
_out = sys.stdout.buffer


def _mount():
    posix = vfs.VfsPosix()
    page = _o["page"]
    wear = posix.open(_o["wear"], "r+b")
    chip = nor.FileNor(posix.open(_o["flash"], "r+b"), _o["blocks"], page, wear)
    try:
        fs = vfs.VfsLfs2(chip, progsize=page or 32)
    except OSError:
        vfs.VfsLfs2.mkfs(chip, progsize=page or 32)
        fs = vfs.VfsLfs2(chip, progsize=page or 32)
    vfs.umount("/")
    vfs.mount(fs, "/")


def _folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)


def _remove(path):
    try:
        kind = os.stat(path)[0]
    except OSError:
        return
    if kind & 0x4000:
        for name in os.listdir(path):
            _remove(path.rstrip("/") + "/" + name)
        if path != "/":
            os.rmdir(path)
    else:
        os.remove(path)


def _walk(path, found):
    for entry in os.ilistdir(path):
        name = path.rstrip("/") + "/" + entry[0]
        if entry[1] & 0x4000:
            _walk(name, found)
        else:
            found[name] = entry[3]
    return found


def _serve(request):
    """The answer, and bytes that follow it."""
    if "put" in request:
        path = request["put"]
        data = _in.read(request["size"])
        _folders(path)
        with open(path + ".new", "wb") as f:
            f.write(data)
        os.rename(path + ".new", path)
        return {}, None
    if "get" in request:
        with open(request["get"], "rb") as f:
            data = f.read()
        return {"size": len(data)}, data
    if "remove" in request:
        _remove(request["remove"])
        return {}, None
    if "list" in request:
        return {"files": _walk(request["list"], {})}, None
    if "run" in request:
        names = {"__name__": "__main__"}
        try:
            exec(request["run"], names)
            return {"shown": repr(eval(request["show"], names))}, None
        except Exception as error:  # whatever the code meets is for whoever sent it
            return {"error": "%s: %s" % (type(error).__name__, error)}, None
    stat = os.statvfs("/")
    return {"free": stat[0] * stat[3]}, None


_mount()
while True:
    line = _in.readline()
    if not line:
        break
    try:
        answer, data = _serve(json.loads(line))
    except OSError as error:
        answer, data = {"error": str(error), "errno": error.errno}, None
    _out.write(json.dumps(answer).encode() + b"\n")
    if data:
        _out.write(data)
