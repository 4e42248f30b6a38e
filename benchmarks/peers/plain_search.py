"""Monotonic alignment search in numpy, vectorised over batch and text: where the reference's cannot be compiled."""
import numpy as np
import torch

_UNREACHABLE = -1e9


def maximum_path(value, mask):
    """value and mask [B, frames, symbols]; the 0/1 path of the same shape."""
    scores = value.detach().cpu().numpy().astype(np.float32)
    frames = mask.sum(1)[:, 0].cpu().numpy().astype(np.int64)
    symbols = mask.sum(2)[:, 0].cpu().numpy().astype(np.int64)
    batch, most_frames, most_symbols = scores.shape
    path = np.zeros(scores.shape, dtype=np.float32)
    best = np.full((batch, most_symbols), _UNREACHABLE, dtype=np.float32)
    moves = np.zeros(scores.shape, dtype=bool)
    column = np.arange(most_symbols)
    for frame in range(most_frames):
        stay = np.where(column == frame, np.float32(_UNREACHABLE), best)
        before = np.empty_like(best)
        before[:, 1:] = best[:, :-1]
        before[:, 0] = 0.0 if frame == 0 else _UNREACHABLE
        inside = (column >= (symbols + frame - frames)[:, None]) & (column <= frame)
        moves[:, frame] = best < before
        best = np.where(inside, scores[:, frame] + np.maximum(before, stay), scores[:, frame])
    for item in range(batch):
        symbol = symbols[item] - 1
        for frame in range(frames[item] - 1, -1, -1):
            path[item, frame, symbol] = 1.0
            if symbol and (symbol == frame or moves[item, frame, symbol]):
                symbol -= 1
    return torch.from_numpy(path).to(value.device, value.dtype)
