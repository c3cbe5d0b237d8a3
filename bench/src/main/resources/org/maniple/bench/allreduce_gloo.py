"""All-reduces floats through Gloo and prints, per size: bytes, median, 99th percentile and minimum in microseconds.

Arguments: pairs of bytes and repetitions. RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are those of torch.distributed.
"""
import sys
import time

import torch
import torch.distributed as dist

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, ranks = dist.get_rank(), dist.get_world_size()
for size, repetitions in zip(sys.argv[1::2], sys.argv[2::2]):
    times = int(repetitions)
    data = torch.full((int(size) // 4,), float(rank + 1))
    dist.all_reduce(data)
    if not bool((data == ranks * (ranks + 1) // 2).all()):
        sys.exit("a wrong sum")
    data.zero_()
    took = []
    for t in range(-(times // 2), times):
        start = time.perf_counter_ns()
        dist.all_reduce(data)
        if t >= 0:
            took.append((time.perf_counter_ns() - start) / 1e3)
    if rank == 0:
        took.sort()
        print(size, f"{took[times // 2]:.2f} {took[times * 99 // 100]:.2f} {took[0]:.2f}", flush=True)
    dist.barrier()
dist.destroy_process_group()
