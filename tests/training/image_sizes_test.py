"""Images of any size: trained to the same bits whoever computes, and whatever fills them up."""
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
import jobs  # noqa: E402

JOB = """
source { npy { inputs: "%(data)s/images.npy" part: "image" extents: "%(data)s/sizes.npy" labels: "%(data)s/labels.npy" classes: 4 } }
validation { fraction: 0.2 }
test { npy { inputs: "%(data)s/images.npy" part: "image" extents: "%(data)s/sizes.npy" labels: "%(data)s/labels.npy" classes: 4 limit: 100 } }
augment { flip {} }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
layer { name: "c" input: "image" convolution { filters: 8 kernel: 3 padding: 1 } }
layer { name: "r" relu {} }
layer { name: "p" max_pool { kernel: 2 } }
layer { name: "c2" convolution { filters: 8 kernel: 3 stride: 2 padding: 1 } }
layer { name: "t" tanh {} }
layer { name: "g" global_average_pool {} }
layer { name: "f" dense { units: 4 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
evaluate { batch: 32 }
optimizer { sgd { rate: 0.1 momentum: 0.9 } }
train { shards: 4 local_steps: 5 batch: 8 epochs: 6 @TRAIN@ }
"""
# Of other layers that take images of any size; and one whose loss compares all that an image has with itself.
ENLARGED = JOB.replace('layer { name: "t" tanh {} }', """
layer { name: "t" prelu {} }
layer { name: "b" pad { before: 1 } }
layer { name: "u" transposed_convolution { filters: 8 kernel: 3 stride: 2 padding: 1 } }
layer { name: "n" upsample { factor: 2 } }
layer { name: "s" softmax {} }
layer { name: "m" input: ["s", "n"] multiply {} }
""")
# Normalized by the places that the images of a batch have, in training and by the running statistics; and images that
# are turned about their own centres.
NORMALIZED = JOB.replace('layer { name: "t" tanh {} }', 'layer { name: "t" batch_norm { momentum: 0.5 } }').replace(
    "augment { flip {} }", "augment { affine { rotate: 10 translate: 1 } }")
# Squares of one size: random ones to train by, the middle to measure; or the middle of what a layer makes.
CUT = JOB.replace("augment { flip {} }", "augment { crop { size: 8 } }").replace(
    "preprocess {", "preprocess { crop { size: 8 place: centre } } preprocess {", 1)
CUT_INSIDE = JOB.replace('layer { name: "g" global_average_pool {} }', 'layer { name: "g" crop { size: 2 } }\n'
                         'layer { name: "flat" flatten {} }')
COPIED = JOB[:JOB.index("layer {")] + """
layer { name: "c" input: "image" convolution { filters: 4 kernel: 3 padding: 1 } }
layer { name: "r" relu {} }
layer { name: "o" convolution { filters: 1 kernel: 3 padding: 1 } }
loss { input: "o" target: "image" mean_squared {} }
""" + JOB[JOB.index("evaluate {"):]
RECORDS, HEIGHT, WIDTH = 480, 24, 20


def write_npy(path, kind, shape, data):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}".encode()
    head += b" " * (63 - (10 + len(head)) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data)


def image(record):
    """Height, width and rows of noisy stripes, whose direction and breadth say the class."""
    height, width, label = 8 + record * 7 % (HEIGHT - 7), 8 + record * 11 % (WIDTH - 7), record % 4
    state, rows = record + 5, []
    for row in range(height):
        pixels = bytearray()
        for column in range(width):
            state = (state * 1664525 + 1013904223) % 2**32
            along = row if label % 2 else column
            pixels.append((160 if along // (1 + label // 2) % 2 else 20) + (state >> 24) % 64)
        rows.append(bytes(pixels))
    return height, width, rows


def write_images(folder, filling=0, height=HEIGHT, width=WIDTH, change=lambda record, size: size):
    pixels, sizes = bytearray(), bytearray()
    for record in range(RECORDS):
        own_height, own_width, rows = image(record)
        for row in rows:
            pixels += row + bytes([filling]) * (width - own_width)
        pixels += bytes([filling]) * ((height - own_height) * width)
        sizes += struct.pack("<hh", *change(record, (own_height, own_width)))
    write_npy(f"{folder}/images.npy", "|u1", (RECORDS, height, width, 1), bytes(pixels))
    write_npy(f"{folder}/sizes.npy", "<i2", (RECORDS, 2), bytes(sizes))
    write_npy(f"{folder}/labels.npy", "|u1", (RECORDS,), bytes(record % 4 for record in range(RECORDS)))


class ImageSizes(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def run_job(self, name, ranks=0, threads=1, train="", job=JOB, check=True):
        return jobs.run(self.folder, job.replace("@TRAIN@", train), name, ranks, threads, check=check)

    def check(self, job):
        path = f"{self.folder}/checked.txtpb"
        with open(path, "w") as out:
            out.write(job.replace("@TRAIN@", "") % {"data": self.folder})
        return subprocess.run(["plait", "check", path], capture_output=True, text=True)

    def test_the_same_bits_for_ranks_threads_and_fillings(self):
        digests = set()
        for ranks, threads, filling in ((0, 1, 0), (0, 2, 255), (2, 1, 0), (2, 2, 77)):
            write_images(self.folder, filling)
            summary, _ = self.run_job("sizes", ranks, threads)
            digests.add((summary["weights_sha256"], summary["test"]["loss"]))
            self.assertGreater(summary["test"]["accuracy"], 0.95)
        self.assertEqual(len(digests), 1)

    def test_batch_norm_and_squares_of_images_of_any_size(self):
        for job in (NORMALIZED, CUT, CUT_INSIDE):
            digests = set()
            for ranks, threads, filling in ((0, 1, 0), (0, 2, 255), (2, 1, 77)):
                write_images(self.folder, filling)
                summary, _ = self.run_job("made", ranks, threads, job=job)
                digests.add((summary["weights_sha256"], summary["test"]["loss"]))
                self.assertGreater(summary["test"]["accuracy"], 0.9)
            self.assertEqual(len(digests), 1)

    def test_an_image_that_is_smaller_than_its_square(self):
        write_images(self.folder, change=lambda record, size: (4, 8) if record == 77 else size)
        for job, told in ((CUT, 'part "image" is of 4 by 8, smaller than the square of 8 by 8'),
                          (CUT_INSIDE, 'crop "g"')):
            _, done = self.run_job("small", check=False, job=job)
            self.assertEqual(done.returncode, 1)
            self.assertIn(told, done.stderr)

    def test_room_around_the_images_changes_nothing(self):
        """A step of the same numbers, of which kernels may add up other zeros in between."""
        for job in (JOB, ENLARGED, NORMALIZED, CUT, CUT_INSIDE, COPIED):
            losses = []
            for height, width, train in ((HEIGHT, WIDTH, ""), (HEIGHT, WIDTH, "buckets: false"), (40, 56, ""),
                                         (40, 56, "buckets: false")):
                write_images(self.folder, 9, height, width)
                summary, _ = self.run_job("room", train="steps: 1 " + train, job=job.replace("epochs: 6", ""))
                losses.append(summary["test"]["loss"])
            for loss in losses:
                self.assertAlmostEqual(loss, losses[0], delta=1e-5 * losses[0])

    def test_an_image_alone_is_what_it_is_among_others(self):
        """All of one size, told as extents of larger ones, and as they are: 8 x 8 fills a bucket, 9 x 11 does not."""
        plain = JOB.replace('extents: "%(data)s/sizes.npy"', "")
        once = {"train": "steps: 1"}
        for size, near in (((8, 8), 0), ((9, 11), 1e-6)):
            write_images(self.folder, 0, change=lambda record, own, size=size: size)
            told, _ = self.run_job("told", **once, job=JOB.replace("epochs: 6", ""))
            trained, _ = self.run_job("trained")
            pixels = b"".join((row + bytes(WIDTH))[:size[1]] for record in range(RECORDS)
                              for row in (image(record)[2] + [b""])[:size[0]])
            write_npy(f"{self.folder}/images.npy", "|u1", (RECORDS, *size, 1), pixels)
            alone, _ = self.run_job("alone", **once, job=plain.replace("epochs: 6", ""))
            self.assertAlmostEqual(told["test"]["loss"], alone["test"]["loss"], delta=near * alone["test"]["loss"])
            if near == 0:
                self.assertEqual(trained["weights_sha256"], self.run_job("whole", job=plain)[0]["weights_sha256"])

    def test_an_image_too_small_for_a_layer(self):
        write_images(self.folder, change=lambda record, size: (4, 8) if record == 77 else size)
        _, done = self.run_job("small", check=False, job=JOB.replace("stride: 2 padding: 1", "stride: 2"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("record 77 (place ", done.stderr)
        self.assertIn('part "image" has 4 along axis 0; convolution "c2"', done.stderr)
        self.assertIn("wants at least 6", done.stderr)

    def test_extents_that_cannot_be(self):
        write_images(self.folder, change=lambda record, size: (25, 8) if record == 3 else size)
        done = self.check(JOB)
        self.assertEqual(done.returncode, 1)
        self.assertIn("record 3 has extent 25 along axis 0, wanted 1 to 24", done.stderr)

    def test_who_does_not_take_two_axes_is_named(self):
        write_images(self.folder)
        self.assertEqual(self.check(JOB).returncode, 0, self.check(JOB).stderr)
        for old, new, told in (
                ("global_average_pool {}", "flatten {}", 'flatten "g"'),
                ("flip {}", "mixup { classes: 4 }", 'mixup: part "image" [<=24, <=20, 1] u8'),
                ('loss { input: "f" target: "label" softmax_cross_entropy', 'loss { input: "r" target: "label" l1',
                 'l1 (')):
            done = self.check(JOB.replace(old, new))
            self.assertEqual(done.returncode, 1, new)
            self.assertIn("varies along axes", done.stderr)
            self.assertIn(told, done.stderr)
        # A container takes what its augmenters take.
        done = self.check(JOB.replace("flip {}", "one_of { augmenter { flip {} } }"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for pool in ("adaptive_average_pool { size: 2 }", "adaptive_max_pool { size: 2 }", "global_max_pool {}"):
            done = self.check(JOB.replace("global_average_pool {}", pool))
            self.assertEqual(done.returncode, 0, done.stderr)
        done = self.check(JOB.replace("max_pool { kernel: 2", "max_pool { kernel: 3 padding: 1"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("padding 1x1 along axis 1, which varies: wanted 0 there", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
