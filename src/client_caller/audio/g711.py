"""G.711 mu-law, the format of nearly every telephone line: one byte a sample, 8,000 samples a second.

The law is ITU-T G.711: 14-bit linear values in eight segments of sixteen steps, all bits inverted on the wire. Both
directions are table look-ups, so a batch of many calls costs no more than one array operation.
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 8000
"""Samples a second."""
FRAME = 160
"""Samples in the 20 ms that providers send at a time."""
SILENCE = b"\xff"
"""One sample of digital silence."""

_BIAS = 0x84
_CLIP = 32635


def _decoding_table() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 0x07
    mantissa = (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoding_table() -> npt.NDArray[np.uint8]:
    linear = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.minimum(np.abs(linear), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(linear < 0, 0x80, 0)
    code: npt.NDArray[np.int32] = ~(sign | (exponent << 4) | mantissa) & 0xFF
    return code.astype(np.uint8)


_DECODE = _decoding_table()
_DECODE_FLOAT = (_DECODE / 32768).astype(np.float32)
_ENCODE = _encoding_table()


def gain(decibels: float) -> bytes:
    """A table for `bytes.translate` that makes mu-law audio louder or, below 0 dB, softer."""
    scaled = np.clip(np.rint(_DECODE * 10 ** (decibels / 20)), -32768, 32767).astype(np.int16)
    return encode(scaled)


def decode(mulaw: bytes) -> npt.NDArray[np.int16]:
    """Mu-law bytes to 16-bit samples, shape (n,)."""
    return _DECODE[np.frombuffer(mulaw, dtype=np.uint8)]


def decode_float(mulaw: bytes) -> npt.NDArray[np.float32]:
    """Mu-law bytes to samples between -1 and 1, shape (n,): what the models take."""
    return _DECODE_FLOAT[np.frombuffer(mulaw, dtype=np.uint8)]


def encode(samples: npt.NDArray[np.int16]) -> bytes:
    """16-bit samples, shape (n,), to mu-law bytes; the loudest 0.4 % of the range is clipped, as the law has it."""
    return _ENCODE[samples.astype(np.int32) + 32768].tobytes()


def encode_float(samples: npt.NDArray[np.float32]) -> bytes:
    """Samples between -1 and 1, shape (n,), to mu-law bytes; anything outside is clipped."""
    return encode(np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16))


SOFTLY = gain(-16)
"""How an agent speaks while the caller may be cutting in: clearly softer (12 dB is less than half as loud), with some
margin for mu-law's own rounding, and still to be understood."""
