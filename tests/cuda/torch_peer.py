"""PyTorch on the jobs of tests/cuda/jobs: the same networks, batches and optimizer in f32 without tf32, channels-last, the
data in the card's memory, one process, no compilation. Writes samples a second and losses.

    torch_peer.py DATA OUT.json
"""
import json
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional


def idx(path):
    data = open(path, "rb").read()
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4:4 + 4 * rank])
    return torch.frombuffer(bytearray(data[4 + 4 * rank:]), dtype=torch.uint8).reshape(shape)


def lenet5():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


class Block(nn.Module):
    def __init__(self, before, filters, stride):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(before, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters)
        self.c2, self.b2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters)
        self.short = nn.Conv2d(before, filters, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = functional.relu(self.b1(self.c1(x)))
        return functional.relu(self.b2(self.c2(y)) + self.short(x))


def resnet20():
    layers, before = [nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage, filters in enumerate([16, 32, 64]):
        for block in range(3):
            layers.append(Block(before, filters, 2 if stage > 0 and block == 0 else 1))
            before = filters
    return nn.Sequential(*layers, nn.AvgPool2d(7), nn.Flatten(), nn.Linear(64, 10))


def measure(make, batch, seconds):
    torch.manual_seed(1)
    net = make().cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    order = torch.randperm(len(images), device="cuda")
    samples, loss = 0, None

    def steps(count):
        nonlocal samples, loss
        for _ in range(count):
            at = samples % (len(images) - batch)
            chosen = order[at:at + batch]
            loss = functional.cross_entropy(net(images[chosen]), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            samples += batch
        torch.cuda.synchronize()

    steps(30)
    samples, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        steps(20)
    rate = samples / (time.perf_counter() - begin)
    free, total = torch.cuda.mem_get_info()
    return {"samples_per_second": rate, "loss": loss.item(), "used": total - free}


if __name__ == "__main__":
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    data = sys.argv[1]
    images = ((idx(f"{data}/train-images").float() / 255 - 0.286) / 0.353).unsqueeze(1).cuda().to(memory_format=torch.channels_last)
    labels = idx(f"{data}/train-labels").long().cuda()
    result = {"torch": torch.__version__, "cudnn": torch.backends.cudnn.version(), "card": torch.cuda.get_device_name()}
    for name, make, batch in [("mlp", mlp, 128), ("lenet5", lenet5, 64), ("resnet20", resnet20, 128)]:
        result[name] = measure(make, batch, 4)
        torch.cuda.empty_cache()
        print(name, result[name], flush=True)
    json.dump(result, open(sys.argv[2], "w"))
