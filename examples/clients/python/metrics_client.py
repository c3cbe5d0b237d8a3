"""Reads a running server's metrics with Prometheus' own parser.

Usage: python metrics_client.py URL [API_KEY]; exit code 0 if they are well-formed and have counted the requests of the other scripts.
"""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def expect(condition, what):
    if not condition:
        sys.exit(f"mismatch: {what}")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: python metrics_client.py URL [API_KEY], for example http://127.0.0.1:8000")
    request = urllib.request.Request(sys.argv[1].rstrip("/") + "/metrics")
    if len(sys.argv) > 2:
        request.add_header("Authorization", f"Bearer {sys.argv[2]}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()

    families = {family.name: family for family in text_string_to_metric_families(text)}
    values = {}
    for family in families.values():
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            expect(key not in values, f"a sample comes once: {key}")
            values[key] = sample.value

    def total(name):
        found = [value for (sample, _), value in values.items() if sample == name]
        expect(found, f"there is {name}")
        return sum(found)

    expect(families["vllm:time_to_first_token_seconds"].type == "histogram", "type of the time to the first token")
    expect(families["vllm:prompt_tokens"].type == "counter", "type of the counted tokens")
    for family in families.values():
        if family.type == "histogram":
            check_histogram(family)
    ended = total("vllm:request_success_total")
    expect(ended > 0, "requests have ended")
    expect(total("vllm:e2e_request_latency_seconds_count") == ended, "each ended request has a latency")
    expect(total("vllm:generation_tokens_total") >= total("vllm:request_generation_tokens_sum") > 0, "tokens were generated")
    expect(total("maniple:rank_steps_total") > 0, "ranks tell of their steps")
    expect(total("maniple:rank_step_seconds_total") > 0, "ranks tell where their time went")
    print(f"ok: {len(families)} families, {len(values)} samples, {int(ended)} requests have ended")


def check_histogram(family):
    """Buckets add up from bound to bound, and the last one has all."""
    series = {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
        entry = series.setdefault(labels, {"buckets": []})
        if sample.name.endswith("_bucket"):
            entry["buckets"].append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_count"):
            entry["count"] = sample.value
    for labels, entry in series.items():
        counts = [count for _, count in sorted(entry["buckets"])]
        expect(counts == sorted(counts), f"buckets of {family.name} {labels} add up")
        expect(counts[-1] == entry["count"], f"the last bucket of {family.name} {labels} has all")


if __name__ == "__main__":
    main()
