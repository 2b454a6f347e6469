"""Writes golden.json: the weights of golden.txtpb as PyTorch computes them, in f64.

usage: python3 make_golden.py     (needs PyTorch; the test itself does not)
SparkNet's rounds: every shard begins with the averaged weights and momenta, trains alone, and is averaged again.
"""
import json
import os

import torch
import torch.nn.functional as F

import golden_data as data

SHARDS, STEPS, ROUNDS, BATCH, RATE, MOMENTUM, DECAY = 3, 5, 3, 4, 0.05, 0.9, 0.01
torch.set_default_dtype(torch.float64)
images, labels = data.images_and_labels()
x = (torch.tensor(images).double().reshape(-1, 1, data.HEIGHT, data.WIDTH) / 255 - 0.5) / 0.25
y = torch.tensor(labels)


def loss(w, batch):
    h = F.max_pool2d(F.relu(F.conv2d(x[batch], w["c.weight"], w["c.bias"], padding=1)), 2)
    h = h.permute(0, 2, 3, 1).flatten(1)  # channels last
    return F.cross_entropy(F.linear(h, w["f.weight"], w["f.bias"]), y[batch])


def train(weights, momenta, shard, first_step):
    w = {name: value.clone().requires_grad_(True) for name, value in weights.items()}
    m = {name: value.clone() for name, value in momenta.items()}
    for step in range(first_step, first_step + STEPS):
        first = (step * SHARDS + shard) * BATCH
        batch = [(first + i) % data.RECORDS for i in range(BATCH)]
        gradients = torch.autograd.grad(loss(w, batch), list(w.values()))
        with torch.no_grad():
            for (name, value), g in zip(w.items(), gradients):
                decayed = g if name.endswith("bias") else g + DECAY * value
                m[name] = MOMENTUM * m[name] + decayed
                value -= RATE * m[name]
    return {name: value.detach() for name, value in w.items()}, m


def mean(copies):
    return {name: sum(copy[name] for copy in copies) / len(copies) for name in copies[0]}


weights = {n: torch.tensor(v).reshape(data.SHAPES[n]) for n, v in data.first_weights().items()}
momenta = {name: torch.zeros_like(value) for name, value in weights.items()}
for round_number in range(ROUNDS):
    copies = [train(weights, momenta, shard, round_number * STEPS) for shard in range(SHARDS)]
    weights, momenta = mean([c[0] for c in copies]), mean([c[1] for c in copies])
out = {name: [float(f"{v:.9g}") for v in value.flatten().tolist()] for name, value in weights.items()}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json"), "w") as file:
    json.dump({"torch": torch.__version__.split("+")[0], "weights": out}, file)
    file.write("\n")
