"""The U-Net of unet.ts in PyTorch on the processor: the peer of the network benchmark.

  python3 unet.py FOLDER STEPS THREADS

FOLDER holds net.json (size, base, levels, channels), weights.f32 (all weights, in the order of net.json), noise.f32 and
target.f32. Prints one JSON line per line that comes in on stdin: the times of STEPS steps; and writes losses.
"""

import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F

folder, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
net = json.load(open(f"{folder}/net.json"))
read = lambda name: torch.from_numpy(numpy.fromfile(f"{folder}/{name}.f32", dtype=numpy.float32))
flat = read("weights")
weights = {}
for slot in net["slots"]:
    part = flat[slot["offset"] : slot["offset"] + slot["size"]]
    weights[slot["name"]] = part.reshape(slot["shape"]).clone().requires_grad_()
size, levels = net["size"], net["levels"]
noise = read("noise").reshape(1, -1, size, size)
target = read("target").reshape(1, -1, size, size)


def convolution(name, x):
    x = F.conv2d(x, weights[f"{name}.kernel"], padding=1)
    x = F.instance_norm(x, weight=weights[f"{name}.gamma"], bias=weights[f"{name}.beta"], eps=1e-5)
    return F.leaky_relu(x, 0.2)


def block(name, x):
    return convolution(f"{name}.b", convolution(f"{name}.a", x))


def forward():
    x, skips = noise, []
    for level in range(levels):
        x = block(f"down{level}", x)
        skips.append(x)
        x = F.max_pool2d(x, 2)
    x = block("bottom", x)
    for level in reversed(range(levels)):
        x = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips[level]], 1)
        x = block(f"up{level}", x)
    return F.conv2d(x, weights["out.kernel"], weights["out.bias"])


adam = torch.optim.Adam(list(weights.values()), lr=net["learningRate"], betas=(0.9, 0.999), eps=1e-8)


def step():
    adam.zero_grad(set_to_none=True)
    loss = ((forward() - target) ** 2).mean()
    loss.backward()
    adam.step()
    return loss.item()


for line in sys.stdin:
    times, cpu, losses = [], [], []
    for _ in range(steps):
        start, used = time.perf_counter(), time.process_time()
        losses.append(step())
        times.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    print(json.dumps({"wall": times, "cpu": cpu, "losses": losses}), flush=True)
