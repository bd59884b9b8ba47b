"""The laws of the mu-law tables."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from client_caller.audio import g711


def test_known_values_of_the_recommendation() -> None:
    """Full scale, silence and the smallest steps have the codes that G.711 gives them."""
    assert g711.encode(np.array([0, 32767, -32768, 8, -8], dtype=np.int16)) == bytes([0xFF, 0x80, 0x00, 0xFE, 0x7E])
    assert g711.decode(bytes([0x80, 0x00, 0xFF, 0x7F])).tolist() == [32124, -32124, 0, 0]


@given(st.binary(max_size=400))
def test_a_second_trip_changes_nothing(mulaw: bytes) -> None:
    """Decoding and encoding again gives the same bytes, but for the second code of zero."""
    canonical = mulaw.replace(b"\x7f", b"\xff")
    assert g711.encode(g711.decode(mulaw)) == canonical
    assert g711.encode_float(g711.decode_float(mulaw)) == canonical


@given(st.lists(st.integers(-32635, 32635), max_size=200))
def test_the_error_is_at_most_half_a_step(values: list[int]) -> None:
    """No sample moves by more than half of its segment's step (the step is 8 at the centre and doubles by segment)."""
    samples = np.array(values, dtype=np.int16)
    error = np.abs(g711.decode(g711.encode(samples)).astype(int) - samples)
    step = 2.0 ** (np.floor(np.log2(np.abs(samples.astype(int)) + 132)) - 4)
    assert np.all(error <= step)


@given(st.floats(-4, 4, width=32))
def test_floats_beyond_full_scale_are_clipped(value: float) -> None:
    """A sample outside the range keeps its sign and becomes full scale."""
    decoded = g711.decode_float(g711.encode_float(np.array([value], dtype=np.float32)))[0]
    assert abs(decoded - np.clip(value, -0.98, 0.98)) < 0.04
