#!/usr/bin/env python3
"""Measures what a running stream notices of a long prompt beside it, and what a prompt saves whose beginning has been computed before.

    bench/serving.py --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple model.gguf

Starts the server and sends completions of random token ids. In each round: a long prompt alone; a stream, and the same long prompt while it runs; a prompt, another
one with the same beginning, and one with the same beginning and a cache_salt of its own. Times are those that a client sees. Prints medians of all rounds.
Flags for the server follow --, for example -- --max-step-stretch 0. Needs nothing but Python's own library.
Exit codes: 0 done, 1 the server failed, 2 wrong usage.
"""

import argparse
import datetime
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from scheduler import raise_group
from startup import free_port, healthy

PERIOD = 0.05


class Failed(Exception):
    """The server did not do what it was asked for."""


class Stream(threading.Thread):
    """A completion that is read as it comes."""

    def __init__(self, port, prompt, tokens, **fields):
        super().__init__(daemon=True)
        self.body = json.dumps({"model": fields.pop("model"), "prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True, "stream": True,
                                "stream_options": {"include_usage": True}, **fields})
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.times = []
        self.usage = {}
        self.problem = None
        self.begin = 0.0

    def run(self):
        try:
            self.begin = time.monotonic()
            self.link.request("POST", "/v1/completions", self.body, {"Content-Type": "application/json"})
            reply = self.link.getresponse()
            if reply.status != 200:
                raise Failed(f"status {reply.status}: {reply.read(500)!r}")
            for line in reply:
                now = time.monotonic()
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line[6:])
                if event.get("choices"):
                    self.times.append(now)
                self.usage = event.get("usage") or self.usage
        except (OSError, ValueError, http.client.HTTPException, Failed) as error:
            self.problem = error

    def first(self):
        """Seconds until its first token, once it has ended."""
        self.join()
        if self.problem or not self.times:
            raise Failed(f"a completion failed: {self.problem}")
        return self.times[0] - self.begin

    def cached(self):
        return (self.usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)


def ask(port, model, prompt, tokens=1, **fields):
    stream = Stream(port, prompt, tokens, model=model, **fields)
    stream.start()
    return stream


def prompt(length, vocabulary):
    return [random.randrange(10, vocabulary) for _ in range(length)]


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def disturbed(port, model, options):
    """A stream with a long prompt beside it: its gaps before and meanwhile, and how long the prompt took alone and then."""
    alone = ask(port, model, prompt(options.long, options.vocabulary)).first()
    streams = [ask(port, model, prompt(options.short, options.vocabulary), options.tokens) for _ in range(options.streams)]
    while min(len(stream.times) for stream in streams) < options.before:
        if any(not stream.is_alive() for stream in streams):
            raise Failed(f"a stream has ended too soon: {streams[0].problem}")
        time.sleep(0.001)
    beside = ask(port, model, prompt(options.long, options.vocabulary))
    waited = beside.first()
    end = beside.times[0]
    over = all(stream.is_alive() for stream in streams)
    for stream in streams:
        stream.join()
    if not over:
        raise Failed("a stream has ended before the first token of the long prompt; give more --tokens")
    gaps = [(later, later - sooner) for stream in streams for sooner, later in zip(stream.times, stream.times[1:])]
    # The first ones come while other streams begin.
    calm = [gap for at, gap in gaps if max(stream.times[20] for stream in streams) < at <= beside.begin]
    busy = [gap for at, gap in gaps if beside.begin < at <= end]
    return {"alone": alone, "beside": waited, "calm": statistics.median(calm), "calm p99": quantile(calm, 0.99), "busy": statistics.median(busy),
            "busy p99": quantile(busy, 0.99), "busy most": max(busy), "steps": len(busy)}


def shared(port, model, options):
    """Seconds to the first token of a prompt, of one with the same beginning, and of one with a salt; and what the usage says."""
    begin = prompt(options.prefix, options.vocabulary)
    streams = []
    for fields in ({}, {}, {"cache_salt": str(random.random())}):
        stream = ask(port, model, begin + prompt(20, options.vocabulary), 2, **fields)
        stream.first()
        streams.append(stream)
    return [stream.first() for stream in streams], [stream.cached() for stream in streams]


def measure(port, model, options):
    for _ in range(options.warm_up):
        disturbed(port, model, options)
        shared(port, model, options)
    rounds = []
    prefixes = []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        rounds.append(disturbed(port, model, options))
        prefixes.append(shared(port, model, options))
    return rounds, prefixes


def show(rounds, prefixes, options):
    def median(value):
        return statistics.median(value(one) for one in rounds)

    print(f"\n{options.streams} stream(s), and a prompt of {options.long} tokens beside them:")
    for name in ("calm", "calm p99", "busy", "busy p99", "busy most"):
        print(f"  gap, {name:<10} {1000 * median(lambda one, name=name: one[name]):8.1f} ms   {median(lambda one, name=name: one[name] / one['calm']):5.2f} x calm")
    print(f"  first token, alone    {median(lambda one: one['alone']):8.3f} s")
    print(f"  first token, beside   {median(lambda one: one['beside']):8.3f} s    {median(lambda one: one['beside'] / one['alone']):5.2f} x alone")
    print(f"  gaps meanwhile        {median(lambda one: one['steps']):8.0f}")
    print(f"  each round, p99 gap / calm gap: {' '.join(format(one['busy p99'] / one['calm'], '.2f') for one in rounds)}")
    print(f"  each round, beside / alone:     {' '.join(format(one['beside'] / one['alone'], '.2f') for one in rounds)}")
    print(f"\na prompt of {options.prefix} tokens and 20 more:")
    for index, name in enumerate(("first", "same beginning", "with a salt")):
        seconds = statistics.median(times[index] for times, _ in prefixes)
        ratio = statistics.median(times[index] / times[0] for times, _ in prefixes)
        print(f"  {name:<15} {1000 * seconds:8.1f} ms   {ratio:5.2f} x first   cached_tokens {statistics.median(cached[index] for _, cached in prefixes):.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("flags", nargs="*", help="flags of the server, after --")
    parser.add_argument("--maniple", required=True, help="bin/maniple of an installation")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--warm-up", type=int, default=2, help="rounds before (default 2)")
    parser.add_argument("--streams", type=int, default=1, help="streams that run (default 1)")
    parser.add_argument("--short", type=int, default=32, help="tokens of their prompts (default 32)")
    parser.add_argument("--tokens", type=int, default=1000, help="tokens that they generate (default 1000)")
    parser.add_argument("--before", type=int, default=150, help="tokens of a stream before the long prompt comes (default 150)")
    parser.add_argument("--long", type=int, default=4000, help="tokens of the long prompt (default 4000)")
    parser.add_argument("--prefix", type=int, default=1000, help="tokens that prompts have in common (default 1000)")
    parser.add_argument("--vocabulary", type=int, default=10000, help="token ids are below it (default 10000)")
    parser.add_argument("--limit", type=int, default=120, help="seconds that the start may take (default 120)")
    options = parser.parse_args()
    if not os.path.isfile(options.model):
        parser.error(f"[{options.model}] is no file")
    print(f"date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
    print(f"model: {os.path.basename(options.model)}, flags: {' '.join(options.flags) or 'none'}")
    port = free_port()
    command = [options.maniple, "serve", options.model, "--port", str(port), "--served-model-name", "model", *options.flags]
    with tempfile.TemporaryFile() as printed:
        server = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=raise_group)
        try:
            begin = time.monotonic()
            while not healthy(port):
                if server.poll() is not None or time.monotonic() - begin > options.limit:
                    raise Failed("the server did not get ready")
                time.sleep(PERIOD)
            show(*measure(port, "model", options), options)
        except Failed as failure:
            printed.seek(0)
            print(f"{failure}\n{printed.read().decode(errors='replace')[-2000:]}", file=sys.stderr)
            return 1
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
