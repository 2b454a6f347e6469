"""The data and first weights of the golden run, made from a small integer generator: no library, the same everywhere."""
import json
import struct

RECORDS, HEIGHT, WIDTH, CLASSES = 70, 8, 8, 4
SHAPES = {"c.weight": (3, 1, 3, 3), "c.bias": (3,), "f.weight": (4, 48), "f.bias": (4,)}


def numbers(seed):
    """Numerical Recipes' 32-bit linear congruential generator, upper 16 bits."""
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state >> 16


def images_and_labels():
    draw = numbers(7)
    images = [[next(draw) % 256 for _ in range(HEIGHT * WIDTH)] for _ in range(RECORDS)]
    return images, [sum(image) % CLASSES for image in images]


def first_weights():
    draw = numbers(11)
    weights = {}
    for name, shape in SHAPES.items():
        count = 1
        for extent in shape:
            count *= extent
        weights[name] = [(next(draw) - 32768) / 131072 for _ in range(count)]  # exact in f32
    return weights


def write_idx(folder):
    images, labels = images_and_labels()
    with open(f"{folder}/images", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, RECORDS, HEIGHT, WIDTH) + bytes(v for image in images for v in image))
    with open(f"{folder}/labels", "wb") as file:
        file.write(struct.pack(">II", 0x801, RECORDS) + bytes(labels))


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(SHAPES[name]), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    tensors = {}
    for name, info in json.loads(content[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = info["data_offsets"]
            raw = content[8 + size + begin : 8 + size + end]
            tensors[name] = list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return tensors
