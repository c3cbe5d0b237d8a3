#!/usr/bin/env python3
"""Measures how long Maniple and llama-server take from their launch until they answer, in paired rounds (A B A B ...), and prints medians.

    bench/startup.py --llama /usr/bin --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple model.gguf

A server is ready once GET /health answers 200, which is asked for every 5 ms. The first launch of each is not counted: it brings the file into the page cache,
and Maniple's leaves an archive of classes and the result of its self-check. Several sets of flags are measured side by side with --variant.
Needs llama-server in the folder given with --llama (or --llama none), and nothing but Python's own library here.
Exit codes: 0 done, 1 a server failed, 2 wrong usage.
"""

import argparse
import collections
import datetime
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PERIOD = 0.005


class Failed(Exception):
    """A server did not get ready."""


def raise_group():
    """A scheduler group of its own, in front of others where that is permitted: otherwise each neighbour's session counts as much as this one."""
    os.setsid()
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write("-10")
    except OSError:
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def healthy(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
            link.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return b" 200 " in link.recv(64)
    except OSError:
        return False


def launch(command, port, limit):
    """Seconds of the clock until it answered, seconds of processors until it had ended, and what it printed."""
    with tempfile.TemporaryFile() as printed:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        try:
            server = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=raise_group)
        except OSError as error:
            raise Failed(f"cannot be started: {' '.join(command)}: {error}") from error
        try:
            while not healthy(port):
                if server.poll() is not None or time.monotonic() - begin > limit:
                    printed.seek(0)
                    ended = "ended" if server.poll() is not None else f"was not ready within {limit} s"
                    raise Failed(f"{ended}: {' '.join(command)}\n{printed.read().decode(errors='replace')[-2000:]}")
                time.sleep(PERIOD)
            took = time.monotonic() - begin
            time.sleep(0.1)  # lines that follow the ready line
        finally:
            if server.poll() is None:
                server.terminate()
            try:
                server.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, text


def parts(text):
    """Milliseconds of each line of --startup-report."""
    return {name.strip(): int(millis) for name, millis in re.findall(r"^startup: (.+?) +(\d+) ms", text, re.MULTILINE)}


def show(times, processors, shares):
    theirs = times.get("llama-server", [])
    print("| server | median s | best s | processor s | ÷ llama-server |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, own in times.items():
        ratio = f"{statistics.median(a / b for a, b in zip(own, theirs)):.2f}" if theirs else ""
        print(f"| {name} | {statistics.median(own):.3f} | {min(own):.3f} | {statistics.median(processors[name]):.2f} | {ratio} |")
    for name, rounds in shares.items():
        print(f"\n{name}:")
        for part in rounds[0]:
            print(f"  {part:<34} {statistics.median(one.get(part, 0) for one in rounds):6.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--llama", required=True, help="folder with llama-server, or none")
    parser.add_argument("--maniple", required=True, action="append", help="bin/maniple of an installation; several are measured side by side")
    parser.add_argument("--rounds", type=int, default=7, help="launches of each that count (default 7)")
    parser.add_argument("--variant", action="append", default=[], help="flags of maniple, in one text; several are measured side by side (default none)")
    parser.add_argument("--limit", type=int, default=120, help="seconds that one start may take (default 120)")
    options = parser.parse_args()
    if not os.path.isfile(options.model):
        parser.error(f"[{options.model}] is no file")
    servers = {}
    for program in options.maniple:
        where = f" of {program}" if len(options.maniple) > 1 else ""
        for variant in options.variant or [""]:
            flags = ["--startup-report", *variant.split()]
            servers[f"maniple{where} {variant}".strip()] = lambda port, program=program, flags=flags: [program, "serve", options.model, "--port", str(port), *flags]
    if options.llama != "none":
        program = os.path.join(options.llama, "llama-server")
        servers["llama-server"] = lambda port: [program, "-m", options.model, "--host", "127.0.0.1", "--port", str(port)]
    print(f"date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
    print(f"load: {' '.join(f'{value:.2f}' for value in os.getloadavg())}")
    times, processors, shares = (collections.defaultdict(list) for _ in range(3))
    failed = False
    try:
        for number in range(options.rounds + 1):
            if sys.stderr.isatty():
                print(f"\rround {number} of {options.rounds}   ", end="", file=sys.stderr, flush=True)
            for name, command in servers.items():
                port = free_port()
                took, used, text = launch(command(port), port, options.limit)
                if number > 0:
                    times[name].append(took)
                    processors[name].append(used)
                    if parts(text):
                        shares[name].append(parts(text))
    except Failed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        failed = True
    except KeyboardInterrupt:
        failed = True
    print(f"load afterwards: {' '.join(f'{value:.2f}' for value in os.getloadavg())}\n")
    if times:
        show(times, processors, shares)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
