#!/usr/bin/env python3
"""Measures how busy the stages of a pipeline are while some requests run.

    bench/stages.py --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple --requests 1,4 model.gguf

Starts a unit with as many stages as --stages says, each of one rank with one thread. For each number of requests, so many clients ask for one completion after
the other; once they have done so for a while, /v1/cluster says twice what the ranks have done until then. Busy is the part of the time in between in which a
rank computed or exchanged data; waiting for other ranks is not in it. Flags for the server follow --. Needs nothing but Python's own library.
Exit codes: 0 done, 1 the server failed, 2 wrong usage.
"""

import argparse
import http.client
import json
import os
import random
import sys
import threading
import time

from startup import free_port
from streams import Failed, Server, numbers


class Clients:
    """Clients that ask again and again, until they are told to stop."""

    def __init__(self, port, count, tokens):
        self.port = port
        self.tokens = tokens
        self.made = 0
        self.problem = None
        self.over = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()

    def ask(self):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        while not self.over and not self.problem:
            prompt = [random.randrange(10, 200) for _ in range(16)]
            body = json.dumps({"model": "model", "prompt": prompt, "max_tokens": self.tokens, "temperature": 0, "ignore_eos": True})
            try:
                link.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
                reply = link.getresponse()
                text = reply.read()
                if reply.status != 200:
                    raise Failed(f"status {reply.status}: {text[:500]!r}")
                with self.lock:
                    self.made += json.loads(text)["usage"]["completion_tokens"]
            except (OSError, ValueError, http.client.HTTPException, Failed) as problem:
                self.problem = problem


def ranks(port):
    """When it was asked, and what each rank has done until then, by stage."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("GET", "/v1/cluster/ranks")
    text = link.getresponse().read()
    return time.monotonic(), {rank["coordinates"].get("pp", 0): rank["steps"] for rank in json.loads(text)["ranks"]}


def window(port, count, options):
    with Clients(port, count, options.output) as clients:
        time.sleep(options.warm_up)
        begin, before = ranks(port)
        made = clients.made
        time.sleep(options.seconds)
        end, after = ranks(port)
        made = clients.made - made
        if clients.problem:
            raise Failed(f"a completion failed: {clients.problem}")
    seconds = end - begin
    busy = [sum(after[stage][part] - before[stage][part] for part in ("compute_seconds", "communication_seconds")) / seconds for stage in sorted(after)]
    steps = (after[0]["count"] - before[0]["count"]) / seconds
    print(f"| {count} | {' | '.join(format(value, '.2f') for value in busy)} | {steps:.0f} | {made / seconds:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file, or a folder with safetensors")
    parser.add_argument("flags", nargs="*", help="flags of the server, after --")
    parser.add_argument("--maniple", required=True, help="bin/maniple of an installation")
    parser.add_argument("--requests", type=numbers, default=[1, 4], help="numbers of requests (default 1,4)")
    parser.add_argument("--stages", type=int, default=2, help="stages of the pipeline (default 2)")
    parser.add_argument("--output", type=int, default=200, help="tokens of an answer (default 200)")
    parser.add_argument("--warm-up", type=float, default=6, help="seconds before it counts (default 6)")
    parser.add_argument("--seconds", type=float, default=5, help="seconds that count (default 5)")
    parser.add_argument("--limit", type=int, default=120, help="seconds that the start may take (default 120)")
    options = parser.parse_args()
    if not os.path.exists(options.model):
        parser.error(f"[{options.model}] is neither a file nor a folder")
    port = free_port()
    command = [options.maniple, "launch", "--model", options.model, "--port", str(port), "--served-model-name", "model", "--pipeline-parallel-size",
               str(options.stages), "--threads", "1", *options.flags]
    try:
        with Server("maniple", command, port, options.limit):
            print(f"| requests | {' | '.join(f'stage {stage} busy' for stage in range(options.stages))} | steps/s | tokens/s |")
            print("| ---: " * (options.stages + 3) + "|")
            for count in options.requests:
                window(port, count, options)
    except Failed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
