"""The ladder, in Python: one round of it. `cargo course ladder` starts this and reads what it prints, a line of JSON for
each rung. It runs by itself as well: python3 ladder.py DISHES NUMBERS
"""

import asyncio
import functools
import json
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

FIRST = 3_000_000
GUESTS = 4
SIP = 0.005  # A guest wants something every 5 ms.


def is_prime(number):
    d = 2
    while d * d <= number:
        if number % d == 0:
            return False
        d += 1
    return number >= 2


def taste(numbers, dish):
    first = FIRST + dish * numbers
    return sum(map(is_prime, range(first, first + numbers)))


# ANCHOR: rungs
async def nobody(dishes, numbers):
    await asyncio.sleep(0.5)
    return 0


async def on_the_loop(dishes, numbers):
    async def one(dish):
        return taste(numbers, dish)  # async, and nothing in it waits

    return sum(await asyncio.gather(*map(one, range(dishes))))


async def to_thread(dishes, numbers):
    jobs = (asyncio.to_thread(taste, numbers, dish) for dish in range(dishes))
    return sum(await asyncio.gather(*jobs))


async def in_pool(pool, dishes, numbers):
    loop = asyncio.get_running_loop()
    jobs = (loop.run_in_executor(pool, taste, numbers, dish) for dish in range(dishes))
    return sum(await asyncio.gather(*jobs))
# ANCHOR_END: rungs


# ANCHOR: guest
async def guest(first, end, late):
    """Every 5 ms, and not 5 ms after the last time."""
    loop = asyncio.get_running_loop()
    due = first
    while True:
        await asyncio.sleep(due - loop.time())
        if end and due > end[0]:
            return
        late.append(max(0.0, loop.time() - due))
        due += SIP
# ANCHOR_END: guest


async def evening(work):
    loop = asyncio.get_running_loop()
    end, late = [], []
    began = loop.time()
    first = began + SIP
    guests = [
        asyncio.create_task(guest(first + SIP * number / GUESTS, end, late))
        for number in range(GUESTS)
    ]
    await asyncio.sleep(0)  # They set their timers.
    marks = await work()
    end.append(max(loop.time(), first + SIP))
    took = loop.time() - began
    await asyncio.gather(*guests)
    return marks, took, sorted(late)


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    if sys.version_info < (3, 9):
        say(error=f"asyncio.to_thread came with Python 3.9, and this is {platform.python_version()}")
        return
    dishes, numbers = int(sys.argv[1]), int(sys.argv[2])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    say(python=f"{platform.python_implementation()} {platform.python_version()}", gil=has_gil)
    with ThreadPoolExecutor(cores) as threads, ProcessPoolExecutor(cores) as processes:
        # So that all of them have been hired.
        list(processes.map(functools.partial(taste, 1), range(cores * 4)))
        for rung, work in [
            ("nobody", nobody),
            ("loop", on_the_loop),
            ("offload", to_thread),
            ("threads", functools.partial(in_pool, threads)),
            ("processes", functools.partial(in_pool, processes)),
        ]:
            marks, took, late = asyncio.run(evening(functools.partial(work, dishes, numbers)))
            say(rung=rung, marks=marks, took=took, late=late)


if __name__ == "__main__":
    main()
