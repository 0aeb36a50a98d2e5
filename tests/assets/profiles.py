"""An ICC profile of Adobe RGB (1998), made from its own numbers: none comes with libvips."""

import struct

# Adobe RGB (1998) color image encoding, section 4.3, adapted to D50 as ICC has it.
_PRIMARIES = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
}
_D50 = (0.9642, 1.0, 0.8249)
_GAMMA = 2 + 51 / 256


def adobe_rgb():
    """The profile's bytes: ICC.1:2001-04, a matrix and a curve."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(_GAMMA * 256)) + bytes(2)
    words = b"desc" + bytes(4) + struct.pack(">I", 6) + b"Adobe\0" + bytes(78)
    tags = {name: _xyz(value) for name, value in _PRIMARIES.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags |= {b"wtpt": _xyz(_D50), b"desc": words, b"cprt": b"text" + bytes(4) + b"none\0\0\0\0"}
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += padded
    head = struct.pack(">I4xI", at + len(body), 0x02100000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    head = head.ljust(68, b"\0") + _fixed(_D50)
    return head.ljust(128, b"\0") + table + body


def _xyz(value):
    return b"XYZ " + bytes(4) + _fixed(value)


def _fixed(value):
    return b"".join(struct.pack(">i", round(one * 65536)) for one in value)
