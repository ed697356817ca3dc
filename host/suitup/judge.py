"""The device code as a judge: `boards/virtual/judge.py` in MicroPython, asked one question after the other.

    with Judge() as judge:
        answer = judge.ask({"kind": "suit", ...})

An answer that does not come is an answer: `{"result": "crash"}` when the process ended, `{"result": "hang"}` when it
took longer than `timeout` seconds; the next question goes to a fresh process."""

import json
import os
import queue
import subprocess
import threading

from suitup import paths
from suitup.boards import micropython


class Judge:
    """`interpreter`: path of a MicroPython or CPython; `heap`: bytes for MicroPython, as its -X heapsize takes them;
    `timeout`: seconds for one question."""

    def __init__(self, interpreter=None, heap="48m", timeout=300):
        self.interpreter = interpreter or micropython.find()
        self.heap = heap
        self.timeout = timeout
        self._process = None
        self._lines = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None

    def _start(self):
        command = [self.interpreter]
        if "python3" not in os.path.basename(self.interpreter) and not self.interpreter.endswith("/python"):
            command += ["-X", "heapsize=" + self.heap]
        command.append(str(paths.boards() / "virtual" / "judge.py"))
        firmware = str(paths.firmware())
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "MICROPYPATH": firmware + ":.frozen", "PYTHONPATH": firmware},
        )
        self._lines = queue.Queue()
        threading.Thread(target=self._read, args=(self._process, self._lines), daemon=True).start()

    @staticmethod
    def _read(process, lines):
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    def _stop(self):
        self._process.kill()
        self._process.wait()
        self._process = None

    def ask(self, question: dict) -> dict:
        if self._process is None:
            self._start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=self.timeout)
        except queue.Empty:
            self._stop()
            return {"result": "hang", "detail": f"no answer within {self.timeout} s"}
        except BrokenPipeError:
            line = None
        if line is None:
            code = self._process.wait()
            self._process = None
            return {"result": "crash", "detail": f"the interpreter ended with {code}"}
        return json.loads(line)
