"""`python -m tests.clocked`: the local host, on a clock that is moved by so many seconds with a line on its input."""

import datetime as dt
import runpy
import sys
import threading

import time_machine

from devhost.taskhub import agenda


def follow(clock):
    for line in sys.stdin:
        clock.shift(float(line))


if __name__ == "__main__":
    agenda.CLOCK_CHECK_SECONDS = 0.02
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=True) as clock:
        threading.Thread(target=follow, args=[clock], daemon=True).start()
        runpy.run_module("devhost", run_name="__main__", alter_sys=True)
