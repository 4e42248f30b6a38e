"""The core's keyed random draws (native/src/core/random.h), so that a peer takes its first step with the same ones."""
import numpy as np

POSTERIOR, DURATION_POSTERIOR, DURATION_REVERSE, SEGMENT, ALIGNMENT, DROPOUT = 0, 1, 2, 3, 4, 64

_LANES = 8
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def _mixed(value):
    mask = (1 << 64) - 1
    value = (value + 0x9E3779B97F4A7C15) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)


def _philox(c0, c1, c2, c3, key):
    """Ten rounds of Philox4x32 over arrays of counters; four arrays of 32-bit words, held in 64 bits."""
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c0
        p1 = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = ((p1 >> _SHIFT) ^ c1 ^ np.uint64(k0), p1 & _LOW,
                          (p0 >> _SHIFT) ^ c3 ^ np.uint64(k1), p0 & _LOW)
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


class Draws:
    """All draws of one step for the utterances of one batch; arrays are float32 [B, channels, time]."""

    def __init__(self, seed, step, utterance_ids):
        self._key = _mixed(_mixed(seed & ((1 << 64) - 1)) ^ step)
        self._ids = np.array(utterance_ids, dtype=np.int64).astype(np.uint64)

    def _words(self, stream, channels, blocks):
        """32-bit words [B, channels, blocks, 4, 8]: word w of counter i of a block."""
        shape = (len(self._ids), channels, blocks * _LANES)
        counter = np.broadcast_to(np.arange(blocks * _LANES, dtype=np.uint64), shape)
        row = np.arange(channels, dtype=np.uint64) | np.uint64(stream << 20)
        c1 = np.broadcast_to(row[None, :, None], shape)
        c2 = np.broadcast_to((self._ids & _LOW)[:, None, None], shape)
        c3 = np.broadcast_to((self._ids >> _SHIFT)[:, None, None], shape)
        words = np.stack(_philox(counter, c1, c2, c3, self._key), axis=2)
        return words.reshape(*shape[:2], 4, blocks, _LANES).swapaxes(2, 3)

    @staticmethod
    def _cut(values, time):
        return np.ascontiguousarray(values.reshape(*values.shape[:2], -1)[:, :, :time].astype(np.float32))

    def uniform(self, stream, channels, time):
        words = self._words(stream, channels, -(-time // (4 * _LANES)))
        return self._cut((words >> np.uint64(8)) * 2.0**-24, time)

    def normal(self, stream, channels, time):
        words = self._words(stream, channels, -(-time // (4 * _LANES))).astype(np.float64)
        radius = np.sqrt(-2.0 * np.log((words[..., 0::2, :] + 0.5) * 2.0**-32))
        angle = words[..., 1::2, :] * (2.0 * np.pi * 2.0**-32)
        pairs = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-2)
        return self._cut(pairs, time)

    def keep_mask(self, site, channels, time, probability):
        words = self._words(DROPOUT + site, channels, -(-time // (8 * _LANES)))
        halves = np.stack((words & np.uint64(0xFFFF), words >> np.uint64(16)), axis=-2)
        kept = halves >= int(np.floor(probability * 65536.0 + 0.5))
        return self._cut(kept / (1.0 - probability), time)
