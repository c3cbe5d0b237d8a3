#!/usr/bin/env python3
"""Measures tokens per second and the time to the first token of concurrent streams, beside llama-server or vLLM, in paired rounds (A B A B ...).

    bench/streams.py --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple --llama /usr/bin model.gguf
    bench/streams.py --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple --vllm venv/bin/vllm --streams 8,32 folder -- --kv-cache-dtype bf16

Both servers run all the time, on the same model and with as many threads. In each round `maniple bench serve` sends the same number of completions to one and
then to the other, for each number of streams; every prompt is random tokens that were never sent before, so that no prefix is found anywhere, and nobody keeps any
unless --caches is given. The first round warms both up, the client too, and does not count. Prints medians of all rounds, and the median of the ratios of each round.
Flags for Maniple follow --: as vLLM keeps keys and values in bf16 if weights are, so may Maniple beside it. Needs nothing but Python's own library, and the servers.
Exit codes: 0 done, 1 a server failed or requests did, 2 wrong usage.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from scheduler import raise_group
from startup import free_port, healthy

PERIOD = 0.05


class Failed(Exception):
    """A server did not do what it was asked for."""


class Server:
    """A process that answers at a port, until it is left."""

    def __init__(self, name, command, port, limit, variables=None):
        self.name = name
        self.command = command
        self.port = port
        self.limit = limit
        self.variables = variables or {}

    def __enter__(self):
        self.printed = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(self.command, stdout=self.printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=raise_group,
                                            env=os.environ | self.variables)
        except OSError as error:
            raise Failed(f"cannot be started: {' '.join(self.command)}: {error}") from error
        begin = time.monotonic()
        while not healthy(self.port):
            if self.process.poll() is not None or time.monotonic() - begin > self.limit:
                problem = "ended" if self.process.poll() is not None else f"was not ready within {self.limit} s"
                self.__exit__()
                raise Failed(f"{self.name} {problem}: {' '.join(self.command)}\n{self.text()[-3000:]}")
            time.sleep(PERIOD)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        try:
            # What it has started itself ends with it; it leads a session of its own.
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def text(self):
        self.printed.seek(0)
        return self.printed.read().decode(errors="replace")

    def url(self):
        return f"http://127.0.0.1:{self.port}"


def maniple(options, model):
    port = free_port()
    command = [options.maniple, "serve", model, "--port", str(port), "--served-model-name", "model", "--threads", str(options.threads),
               "--max-num-seqs", str(max(options.streams)), *([] if options.caches else ["--no-enable-prefix-caching"]), *options.flags]
    return Server("maniple", command, port, options.limit)


def llama(options, model):
    """One slot for each stream."""
    port = free_port()
    most = max(options.streams)
    command = [os.path.join(options.llama, "llama-server"), "-m", model, "--host", "127.0.0.1", "--port", str(port), "-t", str(options.threads),
               "-tb", str(options.threads), "-np", str(most), "-c", str(most * (options.input + options.output + 32)), "--cont-batching",
               *([] if options.caches else ["--cache-ram", "0"])]
    return Server("llama-server", command, port, options.limit)


def vllm(options, model):
    port = free_port()
    longest = 1 << (options.input + options.output).bit_length()
    command = [options.vllm, "serve", model, "--host", "127.0.0.1", "--port", str(port), "--served-model-name", "model", "--dtype", "bfloat16",
               "--max-model-len", str(max(2048, longest)), "--max-num-seqs", str(max(options.streams)), *([] if options.caches else ["--no-enable-prefix-caching"]),
               *options.vllm_flags.split()]
    variables = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": f"0-{options.threads - 1}", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if options.vllm_preload:
        variables["LD_PRELOAD"] = options.vllm_preload
    return Server("vllm", command, port, options.limit, variables)


def measure(options, servers):
    """What bench serve says of each number of streams and each server, in all rounds that count: lists of pairs by streams."""
    counts = options.streams * (options.rounds + 1)
    command = [options.maniple, "bench", "serve", "--url", ",".join(server.url() for server in servers), "--concurrency", ",".join(map(str, counts)),
               "--requests-per-client", str(options.turns), "--warm-up", "0", "--input-tokens", str(options.input), "--output-tokens", str(options.output),
               "--token-ids", options.ids, "-o", "json"]
    # The client shares the processors with the servers: it must not spend its short life on compiling itself.
    cheap = os.environ | {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=raise_group, env=cheap, check=False)
    try:
        lines = json.loads(done.stdout)
    except ValueError as error:
        raise Failed(f"exit code {done.returncode}: {' '.join(command)}\n{done.stderr[-2000:]}") from error
    for line in lines:
        if line["failed"] or line["tokens"] != line["requests"] * options.output:
            raise Failed(f"not every request was answered with {options.output} tokens: {json.dumps(line)}")
    pairs = {}
    for index, count in enumerate(counts):
        if index >= len(options.streams):
            pairs.setdefault(count, []).append(lines[len(servers) * index:len(servers) * (index + 1)])
    return pairs


def show(pairs, servers):
    names = [server.name for server in servers]
    print("| streams | " + " | ".join(f"{name}, tokens/s" for name in names) + " | ratio | each round | "
          + " | ".join(f"{name}, first token ms" for name in names) + " | ratio | " + " | ".join(f"{name}, between tokens ms" for name in names) + " |")
    print("| ---: " * (5 + 3 * len(names)) + "|")
    for count, rounds in pairs.items():
        def medians(field, form, rounds=rounds):
            return " | ".join(format(statistics.median(one[i][field] for one in rounds), form) for i in range(len(servers)))

        def ratios(field, rounds=rounds):
            return [one[0][field] / one[1][field] for one in rounds] if len(servers) > 1 else []

        def middle(values):
            return f"{statistics.median(values):.2f}" if values else ""

        speed = ratios("tokens_per_second")
        print(f"| {count} | {medians('tokens_per_second', '.1f')} | {middle(speed)} | {' '.join(format(value, '.2f') for value in speed)} "
              f"| {medians('ttft_ms_p50', '.0f')} | {middle(ratios('ttft_ms_p50'))} | {medians('inter_token_ms_p50', '.1f')} |", flush=True)


def numbers(text):
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", text):
        raise argparse.ArgumentTypeError(f"[{text}] is no list of numbers like 1,4,16")
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file, or for vLLM a folder with safetensors")
    parser.add_argument("flags", nargs="*", help="flags of Maniple, after --")
    parser.add_argument("--maniple", required=True, help="bin/maniple of an installation")
    parser.add_argument("--llama", help="folder with llama-server")
    parser.add_argument("--vllm", help="the program vllm of an environment in which it is installed")
    parser.add_argument("--vllm-flags", default="", help="more flags of vLLM, in one text")
    parser.add_argument("--vllm-preload", help="libraries that vLLM's documentation has loaded first (libtcmalloc_minimal, libiomp5), separated by colons")
    parser.add_argument("--streams", type=numbers, default=[1, 4, 16, 64], help="numbers of streams (default 1,4,16,64)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (default 3)")
    parser.add_argument("--turns", type=int, default=2, help="completions of each stream, one after the other; of all together at least 8 (default 2)")
    parser.add_argument("--threads", type=int, default=2, help="threads that compute (default 2)")
    parser.add_argument("--input", type=int, default=64, help="tokens of a prompt (default 64)")
    parser.add_argument("--output", type=int, default=64, help="tokens of an answer (default 64)")
    parser.add_argument("--ids", default="300-9999", help="token ids that prompts are drawn from (default 300-9999)")
    parser.add_argument("--caches", action="store_true", help="leave the servers their caches of prompts, which find nothing here and cost time and memory")
    parser.add_argument("--limit", type=int, default=300, help="seconds that a start may take (default 300)")
    options = parser.parse_args()
    if not os.path.exists(options.model):
        parser.error(f"[{options.model}] is neither a file nor a folder")
    if options.llama and options.vllm:
        parser.error("give one of --llama and --vllm")
    servers = [maniple(options, options.model)]
    if options.llama:
        servers.append(llama(options, options.model))
    if options.vllm:
        servers.append(vllm(options, options.model))
    print(f"date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
    print(f"model: {os.path.basename(os.path.normpath(options.model))}, {options.threads} threads, {options.input} tokens in, {options.output} out")
    print(f"load: {' '.join(f'{value:.2f}' for value in os.getloadavg())}", flush=True)
    try:
        with contextlib.ExitStack() as running:
            for server in servers:
                running.enter_context(server)
            pairs = measure(options, servers)
    except Failed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    print(f"load afterwards: {' '.join(f'{value:.2f}' for value in os.getloadavg())}\n")
    show(pairs, servers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
