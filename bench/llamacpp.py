#!/usr/bin/env python3
"""Runs Maniple and llama.cpp on the same GGUF files in paired rounds (A B A B ...), and prints medians of ratios.

    bench/llamacpp.py --llama /usr/bin --maniple distro/target/maniple-0.1.0-SNAPSHOT/bin/maniple model.gguf ...

Needs llama-bench and llama-batched-bench in the folder given with --llama, and nothing but Python's own library here. In each round both engines measure
the same thing one after the other, and the memory's read bandwidth is measured beside it, so that a ratio compares two figures of the same minute.
Exit codes: 0 done, 1 an engine failed, 2 wrong usage.
"""

import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys

from scheduler import raise_group

TESTS = ("decode", "prefill", "batched", "tp")


class Failed(Exception):
    """An engine did not do what it was asked for."""


def run(command, limit):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=limit, preexec_fn=raise_group, check=False)
    except subprocess.TimeoutExpired as expired:
        raise Failed(f"did not end within {limit} s: {' '.join(command)}") from expired
    except OSError as error:
        raise Failed(f"cannot be started: {' '.join(command)}: {error}") from error
    if done.returncode != 0:
        raise Failed(f"exit code {done.returncode}: {' '.join(command)}\n{done.stderr[-2000:]}")
    return done


class Maniple:
    def __init__(self, program, flags, limit):
        self.program = program
        self.flags = flags
        self.limit = limit
        self.seen = set()

    def bench(self, model, *arguments):
        done = run([self.program, "bench", "model", model, "-r", "2", "-o", "json", *arguments, *self.flags], self.limit)
        self.seen.update(line for line in done.stderr.splitlines() if line.startswith("cpu: "))
        entries = json.loads(done.stdout)
        return {entry["test"]: entry["avg_ts"] for entry in entries}

    def bandwidth(self, threads):
        done = run([self.program, "bench", "kernels", "--types", "F32", "--rows", "1", "--memory", "64MiB", "--seconds", "0.05", "-t", str(threads), "-o", "json"], self.limit)
        return json.loads(done.stdout)[0]["read_bytes_per_second"]

    def version(self):
        return run([self.program, "version"], self.limit).stdout.strip()


class Llama:
    def __init__(self, folder, limit):
        self.folder = folder
        self.limit = limit
        self.seen = set()

    def call(self, name, *arguments):
        done = run([os.path.join(self.folder, name), *arguments], self.limit)
        self.seen.update(re.findall(r"loaded CPU backend from .*/(\S+)", done.stderr))
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def bench(self, model, threads, prompt, generated):
        entries = self.call("llama-bench", "-m", model, "-t", str(threads), "-p", str(prompt), "-n", str(generated), "-r", "2", "-o", "jsonl")
        for entry in entries:
            self.seen.add(f"commit {entry['build_commit']}")
        return {(f"pp{e['n_prompt']}" if e["n_prompt"] else f"tg{e['n_gen']}"): e["avg_ts"] for e in entries}

    def batched(self, model, threads, depth, generated, streams):
        longest = (depth + generated) * max(streams) + 256
        entries = self.call("llama-batched-bench", "-m", model, "-t", str(threads), "-c", str(longest), "-npp", str(depth), "-ntg", str(generated),
                            "-npl", ",".join(map(str, streams)), "--output-format", "jsonl")
        return {entry["pl"]: entry["speed_tg"] for entry in entries}


class Table:
    """Pairs of figures by model and test."""

    def __init__(self):
        self.pairs = {}

    def add(self, model, test, ours, theirs, bandwidth):
        self.pairs.setdefault((model, test), []).append((ours, theirs, bandwidth))

    def show(self, sizes):
        print("| model | test | Maniple | llama.cpp | ratio | best ÷ best | read GB/s | Maniple of that | llama.cpp of that |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for (model, test), pairs in self.pairs.items():
            ours = [pair[0] for pair in pairs]
            theirs = [pair[1] for pair in pairs]
            ratio = statistics.median(a / b for a, b, _ in pairs)
            band = statistics.median(pair[2] for pair in pairs)
            share = ("", "")
            if re.fullmatch(r"tg\d+, \d threads?", test) and sizes.get(model):
                share = tuple(f"{statistics.median(pair[i] * sizes[model] / pair[2] for pair in pairs):.2f}" for i in (0, 1))
            print(f"| {model} | {test} | {statistics.median(ours):.1f} | {statistics.median(theirs):.1f} | {ratio:.2f} | {max(ours) / max(theirs):.2f} "
                  f"| {band / 1e9:.1f} | {share[0]} | {share[1]} |", flush=True)


class Split:
    """Figures of Maniple alone: two processes beside one."""

    def __init__(self):
        self.rounds = {}

    def add(self, model, streams, two, one, single):
        self.rounds.setdefault((model, streams), []).append((two, one, single))

    def show(self):
        if not self.rounds:
            return
        print()
        print("| model | streams | 2 processes of 1 thread (tp 2, tcp) | 1 process of 2 threads | 1 process of 1 thread | ÷ 2 threads | ÷ 1 thread |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for (model, streams), rounds in self.rounds.items():
            columns = [statistics.median(values) for values in zip(*rounds)]
            print(f"| {model} | {streams} | {columns[0]:.1f} | {columns[1]:.1f} | {columns[2]:.1f} | {statistics.median(a / b for a, b, _ in rounds):.2f} "
                  f"| {statistics.median(a / c for a, _, c in rounds):.2f} |", flush=True)


def cpu():
    name, flags = "unknown processor", ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            for line in info:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    name = value.strip()
                elif key.strip() in ("flags", "Features"):
                    known = r"avx2|fma|f16c|avx_vnni|avx512(?:f|bw|_vnni|_bf16|_fp16|_vbmi)|amx_(?:tile|int8|bf16)|asimddp|i8mm|bf16|sve"
                    flags = " ".join(sorted(set(re.findall(rf"(?<!\S)(?:{known})(?!\S)", value))))
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} processors, {flags}"


def dense_bytes(model):
    """What one token reads: of a dense model with tied embeddings, about the whole file."""
    return 0 if re.search(r"moe|\dx\d+b", os.path.basename(model).lower()) else os.path.getsize(model)


def one_round(options, maniple, llama, model, table, split):
    name = os.path.basename(model).removesuffix(".gguf")
    for threads in options.threads:
        word = f"{threads} thread" + ("" if threads == 1 else "s")
        prompt = options.prompt if "prefill" in options.tests else 0
        generated = options.generate if "decode" in options.tests else 0
        if prompt or generated:
            band = maniple.bandwidth(threads)
            ours = maniple.bench(model, "-t", str(threads), "-p", str(prompt), "-n", str(generated))
            theirs = llama.bench(model, threads, prompt, generated)
            for test in theirs:
                table.add(name, f"{test}, {word}", ours[test], theirs[test], band)
    if "batched" in options.tests:
        threads = max(options.threads)
        band = maniple.bandwidth(threads)
        ours = maniple.bench(model, "-t", str(threads), "-p", "0", "-n", "32", "-d", "64", "-b", ",".join(map(str, options.streams)))
        theirs = llama.batched(model, threads, 64, 32, options.streams)
        for count in options.streams:
            test = "tg32@d64" + ("" if count == 1 else f"x{count}")
            table.add(name, f"{count} sequences", ours[test], theirs[count], band)
    if "tp" in options.tests:
        tests = ("-p", "0", "-n", "64", "-b", "1,8")
        two = maniple.bench(model, "-tp", "2", "-t", "1", *tests)
        one = maniple.bench(model, "-t", "2", *tests)
        single = maniple.bench(model, "-t", "1", *tests)
        for count, test in ((1, "tg64"), (8, "tg64x8")):
            split.add(name, count, two[test], one[test], single[test])


def numbers(text):
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", text):
        raise argparse.ArgumentTypeError(f"[{text}] is no list of numbers like 1,2")
    return [int(part) for part in text.split(",")]


def tests(text):
    chosen = text.split(",")
    for test in chosen:
        if test not in TESTS:
            raise argparse.ArgumentTypeError(f"[{test}] is none of {', '.join(TESTS)}")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="GGUF files")
    parser.add_argument("--llama", required=True, help="folder with llama-bench and llama-batched-bench")
    parser.add_argument("--maniple", required=True, help="bin/maniple of an installation")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of each test (default 3)")
    parser.add_argument("--tests", type=tests, default=list(TESTS), help=f"some of {','.join(TESTS)} (default all)")
    parser.add_argument("--threads", type=numbers, default=[1, 2], help="thread counts (default 1,2)")
    parser.add_argument("--streams", type=numbers, default=[4, 8, 16], help="sequences of batched decoding (default 4,8,16)")
    parser.add_argument("--prompt", type=int, default=512, help="tokens of the prompt (default 512)")
    parser.add_argument("--generate", type=int, default=128, help="tokens that are generated (default 128)")
    parser.add_argument("--flags", default="", help="more flags of maniple, in one text")
    parser.add_argument("--limit", type=int, default=600, help="seconds that one run may take (default 600)")
    options = parser.parse_args()
    for model in options.models:
        if not os.path.isfile(model):
            parser.error(f"[{model}] is no file")
    maniple = Maniple(options.maniple, options.flags.split(), options.limit)
    llama = Llama(options.llama, options.limit)
    table, split = Table(), Split()
    print(f"date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
    print(f"cpu: {cpu()}")
    print(f"load: {' '.join(f'{value:.2f}' for value in os.getloadavg())}")
    failed = False
    try:
        print(f"maniple: {maniple.version()}", flush=True)
        for model in options.models:
            for number in range(options.rounds):
                if sys.stderr.isatty():
                    print(f"\r{os.path.basename(model)}: round {number + 1} of {options.rounds}   ", end="", file=sys.stderr, flush=True)
                one_round(options, maniple, llama, model, table, split)
    except Failed as failure:
        print(f"failed: {failure}", file=sys.stderr)
        failed = True
    except KeyboardInterrupt:
        failed = True
    if sys.stderr.isatty():
        print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
    for line in sorted(maniple.seen):
        print(f"maniple {line}")
    for line in sorted(llama.seen):
        print(f"llama.cpp: {line}")
    print(f"load afterwards: {' '.join(f'{value:.2f}' for value in os.getloadavg())}")
    print()
    table.show({os.path.basename(model).removesuffix(".gguf"): dense_bytes(model) for model in options.models})
    split.show()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
