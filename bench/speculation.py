#!/usr/bin/env python3
"""Measures what speculative decoding by looking up what was written before gains on an extractive prompt, and that it changes nothing.

    bench/speculation.py --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple model.gguf

Starts two servers that differ in --speculative-config alone and has them answer by turns (A B B A ...), so that what else the machine does meets both: a prompt that asks
to repeat a text, and one that does not, each with greedy decoding. Prints output tokens per second of both, the median of the ratios of the rounds, and how many of the guesses
were right. It is an error if the outputs differ. Flags for both servers follow --. Needs nothing but Python's own library.
Exit codes: 0 done, 1 a server failed or the outputs differ, 2 wrong usage.
"""

import argparse
import datetime
import http.client
import json
import os
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

# Written for this benchmark.
TEXT = """The harbour of Lindholm lies behind two moles of grey stone. In spring, when the ice has gone, eleven fishing boats leave it before sunrise; in autumn there are seven, since
the older crews stay ashore to mend nets and to smoke herring. The harbour master, Ingrid Solberg, writes down every boat that leaves and every boat that returns. Her
book says that the Aurora left at 04:10 with four people and came back at 15:35 with 820 kilograms of cod. The Petrel left at 04:25 with three people and came back at
14:50 with 615 kilograms of cod and 40 kilograms of haddock. The Fulmar left at 04:40 with five people and came back at 16:05 with 1,140 kilograms of herring."""

PROMPTS = {
    "repeats a text": [{"role": "user", "content": "Repeat the following text exactly, word for word.\n\n" + TEXT}],
    "writes freely": [{"role": "user", "content": "Write a story about a lighthouse keeper who finds a letter."}],
}


class Failed(Exception):
    """A server did not do what it was asked for."""


class Server:
    """One that runs until it is closed."""

    def __init__(self, options, flags):
        self.port = free_port()
        self.printed = tempfile.TemporaryFile()
        command = [options.maniple, "serve", options.model, "--port", str(self.port), "--served-model-name", "model", *flags, *options.flags]
        self.process = subprocess.Popen(command, stdout=self.printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=raise_group)
        begin = time.monotonic()
        while not healthy(self.port):
            if self.process.poll() is not None or time.monotonic() - begin > options.limit:
                self.printed.seek(0)
                raise Failed(f"a server did not get ready: {' '.join(command)}\n{self.printed.read().decode(errors='replace')[-2000:]}")
            time.sleep(PERIOD)

    def ask(self, path, body=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        link.request("POST" if body else "GET", path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        reply = link.getresponse()
        content = reply.read().decode()
        if reply.status != 200:
            raise Failed(f"status {reply.status}: {content[:500]}")
        return content

    def answer(self, messages, tokens):
        """Its text and how many tokens it has."""
        body = {"model": "model", "messages": messages, "max_tokens": tokens, "temperature": 0, "ignore_eos": True}
        reply = json.loads(self.ask("/v1/chat/completions", body))
        return reply["choices"][0]["message"]["content"], reply["usage"]["completion_tokens"]

    def guesses(self):
        """How many tokens have been guessed, and how many of them rightly."""
        counts = {"draft": 0.0, "accepted": 0.0}
        for line in self.ask("/metrics").splitlines():
            for kind in counts:
                if line.startswith(f"vllm:spec_decode_num_{kind}_tokens_total"):
                    counts[kind] += float(line.split()[-1])
        return counts["draft"], counts["accepted"]

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def timed(server, messages, options):
    """The answers of all streams together, and output tokens per second; after the warm-up the prompts are in the prefix cache."""
    answers = [None] * options.streams

    def one(number):
        try:
            answers[number] = server.answer(messages, options.tokens)
        except (OSError, ValueError, http.client.HTTPException, Failed) as error:
            answers[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(options.streams)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    for answer in answers:
        if isinstance(answer, Exception):
            raise Failed(f"a request failed: {answer}")
    return [text for text, _ in answers], sum(count for _, count in answers) / took


def measure(plain, guessing, options):
    for name, messages in PROMPTS.items():
        rates = []
        before = (0.0, 0.0)
        for number in range(options.warm_up + options.rounds):
            if number == options.warm_up:
                before = guessing.guesses()
            order = [plain, guessing] if number % 2 == 0 else [guessing, plain]
            both = {server: timed(server, messages, options) for server in order}
            if both[plain][0] != both[guessing][0]:
                raise Failed(f"the outputs differ:\n{both[plain][0]}\n{both[guessing][0]}")
            if number >= options.warm_up:
                rates.append((both[plain][1], both[guessing][1]))
        made, right = (after - sooner for after, sooner in zip(guessing.guesses(), before))
        ratio = statistics.median(fast / slow for slow, fast in rates)
        print(f"{name:<16} {options.streams:>3} stream(s): {statistics.median(slow for slow, _ in rates):7.1f} tokens/s without, "
              f"{statistics.median(fast for _, fast in rates):7.1f} with: {ratio:.2f} x; {right:.0f} of {made:.0f} guesses right; outputs equal; "
              f"rounds: {' '.join(format(fast / slow, '.2f') for slow, fast in rates)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file, or a folder")
    parser.add_argument("flags", nargs="*", help="flags of both servers, after --")
    parser.add_argument("--maniple", required=True, help="bin/maniple of an installation")
    parser.add_argument("--config", default='{"method": "ngram", "num_speculative_tokens": 5, "prompt_lookup_min": 2, "prompt_lookup_max": 5}',
                        help="the --speculative-config of one of them (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--warm-up", type=int, default=2, help="rounds before (default 2)")
    parser.add_argument("--streams", type=int, default=1, help="requests at a time (default 1)")
    parser.add_argument("--tokens", type=int, default=220, help="tokens of an answer (default 220)")
    parser.add_argument("--limit", type=int, default=120, help="seconds that a start may take (default 120)")
    options = parser.parse_args()
    print(f"date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
    print(f"model: {os.path.basename(options.model)}, guesses: {options.config}, flags: {' '.join(options.flags) or 'none'}")
    servers = []
    try:
        for flags in ([], ["--speculative-config", options.config]):
            servers.append(Server(options, flags))
        measure(*servers, options)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        for server in servers:
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
