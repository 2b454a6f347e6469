"""JPEG and PNG files of one colour, made here so that the tests need no library and no file of others."""
import struct
import zlib


def segment(mark, content):
    return struct.pack(">BBH", 0xff, mark, len(content) + 2) + content


def packed(bits):
    """Bits as JPEG has them: filled with ones, a zero byte after each 0xff."""
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")


def jpeg(height, width, grey):
    """Baseline, one component: each block has a mean and nothing else (ITU-T T.81). All divisors are 8, so that the
    coefficient of a block is grey - 128; only the first block differs from the one before it."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0])
    means = bytes([0, 0, 1, 5] + [1] * 6 + [0] * 7) + bytes(range(12))  # table K.3
    nothing_else = bytes([0x10, 1] + [0] * 15) + b"\0"                  # one code, "0": end of block
    codes = ["00", "010", "011", "100", "101", "110", "1110", "11110", "111110"]
    mean = grey - 128
    size = abs(mean).bit_length()
    value = mean if mean > 0 else mean + (1 << size) - 1
    bits = codes[size] + (f"{value:0{size}b}" if size else "") + "0"
    bits += (codes[0] + "0") * (-(-height // 8) * -(-width // 8) - 1)
    return (b"\xff\xd8" + segment(0xdb, b"\0" + bytes([8] * 64)) + segment(0xc0, frame) + segment(0xc4, means) +
            segment(0xc4, nothing_else) + segment(0xda, bytes([1, 1, 0, 0, 63, 0])) + packed(bits) + b"\xff\xd9")


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


# Of each pass of Adam7: first row and column, distance of rows and of columns.
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def png(height, width, colour, bits=8, interlaced=False):
    """`colour`: a number a channel, one or three."""
    pixel = b"".join(bytes([value]) * (bits // 8) for value in colour)
    rows = b""
    for top, left, down, right in PASSES if interlaced else [(0, 0, 1, 1)]:
        columns = len(range(left, width, right))
        if columns:
            rows += (b"\0" + pixel * columns) * len(range(top, height, down))
    header = struct.pack(">IIBBBBB", width, height, bits, 0 if len(colour) == 1 else 2, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
