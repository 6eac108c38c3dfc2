"""CPython's ProcessPoolExecutor, as one of the peers: python3 executor.py ROW COUNT [PLACE]

The rows are those of src/rows.rs, with the same work. Prints the figures of one sample, or "-" where it has no means.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, wait


def no_op(number):
    return number


def next_(number):
    return number + 1


def echo(data):
    return data


def primes(span):
    found = 0
    for n in range(max(span[0], 2), span[1]):
        d = 2
        while d * d <= n:
            if n % d == 0:
                break
            d += 1
        else:
            found += 1
    return found


def write_pid(place):
    with open(place + ".unfinished", "w") as file:
        file.write(str(os.getpid()))
    os.rename(place + ".unfinished", place)


def hold(place):
    write_pid(place)
    time.sleep(60)


def spin(place):
    write_pid(place)
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        pass


def written_pid(place):
    patience = time.monotonic() + 20
    while not os.path.exists(place):
        if time.monotonic() > patience:
            sys.exit("a job did not begin within 20 s")
        time.sleep(0.001)
    with open(place) as file:
        return int(file.read())


def quantile(values, part):
    values = sorted(values)
    place = part * (len(values) - 1)
    below, above = values[int(place)], values[min(int(place) + 1, len(values) - 1)]
    return below + (above - below) * (place - int(place))


def each(times, run):
    for turn in range(times // 10 + 1):
        run(turn)
    taken = []
    for turn in range(times):
        start = time.perf_counter()
        run(turn)
        taken.append((time.perf_counter() - start) * 1e6)
    return taken


def both_busy(pool):
    wait([pool.submit(time.sleep, 0.05) for _ in range(2)])


def echoes(pool, size, times):
    data = bytes(size)
    micros = quantile(each(times, lambda _: pool.submit(echo, data).result()), 0.5)
    return [2 * size / micros / 1e3]


def resident():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024


def proportional(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024


async def awaited(pool, times):
    loop = asyncio.get_running_loop()
    taken = []
    for turn in range(times + times // 10):
        start = time.perf_counter()
        await loop.run_in_executor(pool, no_op, turn)
        taken.append((time.perf_counter() - start) * 1e6)
    return [quantile(taken[times // 10:], 0.5)]


def measure(row, count, place):
    start = time.perf_counter()
    pool = ProcessPoolExecutor(2)
    if row == "start":
        pool.submit(no_op, 1).result()
        return [(time.perf_counter() - start) * 1e3]
    if row == "parent":
        for name in ("a", "b"):
            pool.submit(spin, place + name)
        for name in ("a", "b"):
            written_pid(place + name)
        print("busy", flush=True)
        time.sleep(60)
    if row in ("kill-error", "queued"):
        places = [place + "a", place + "b"]
        futures = [pool.submit(hold, one) for one in places]
        pids = [written_pid(one) for one in places]
        if row == "queued":
            memory, descriptors = resident(), len(os.listdir("/proc/self/fd"))
            futures += [pool.submit(no_op, number) for number in range(count)]
            grown = resident() - memory, len(os.listdir("/proc/self/fd")) - descriptors
            return [grown[0] / count, grown[1] / count]
        futures += [pool.submit(no_op, number) for number in range(20)]
        start = time.perf_counter()
        os.kill(pids[0], signal.SIGKILL)
        futures[0].exception()
        known = (time.perf_counter() - start) * 1e3
        others = wait([futures[0]] + futures[2:]).done | wait([futures[1]], timeout=0.5).done
        return [known, sum(1 for future in others if future.exception())]
    both_busy(pool)
    if row == "round-trip":
        taken = each(count, lambda turn: pool.submit(no_op, turn).result())
        return [quantile(taken, 0.5), quantile(taken, 0.99)]
    if row == "await":
        return asyncio.run(awaited(pool, count))
    if row == "submit":
        start = time.perf_counter()
        futures = [pool.submit(no_op, number) for number in range(count)]
        assert sum(future.result() for future in futures) == count * (count - 1) // 2
        return [count / (time.perf_counter() - start) / 1e3]
    if row == "map":
        count -= count % 64
        start = time.perf_counter()
        assert sum(pool.map(next_, range(count), chunksize=64)) == count * (count + 1) // 2
        return [count / (time.perf_counter() - start) / 1e6]
    if row == "echo-1k":
        return echoes(pool, 1 << 10, count)
    if row == "echo-1m":
        return echoes(pool, 1 << 20, count)
    if row == "echo-64m":
        return echoes(pool, 1 << 26, count)
    if row == "cpu":
        spans = [(n, n + 2_500) for n in range(0, 250_000, 2_500)]
        start = time.perf_counter()
        alone = primes((0, 250_000))
        inline = time.perf_counter() - start
        start = time.perf_counter()
        assert sum(pool.map(primes, spans)) == alone
        return [inline / (time.perf_counter() - start)]
    if row == "idle":
        return [max(proportional(pid) for pid in pool._processes) / (1 << 20)]
    return None


def main():
    if sys.argv[1] == "--version":
        print(f"CPython {sys.version.split()[0]}, {multiprocessing.get_start_method()}")
        return
    figures = measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    print(" ".join(map(str, figures)) if figures else "-", flush=True)
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
