// Included by winograd_cpu.cpp once for each kind of vector, in a namespace with Vec, kLanes, kRegisters and the operations on
// vectors; VT_LANES and VT_LANES_CALL let a function use their instructions. Hence no include guard.

// As many accumulators as there are registers for, beside a row of weights and a broadcast.
template <int kColumns>
inline constexpr int kRowsOf = kRegisters == 32 ? (kColumns == 4 ? 6 : 12) : (kColumns == 2 ? 6 : 12);
inline constexpr int kMostColumns = kRegisters == 32 ? 4 : 2;

// M = W U for kRows groups and kColumns vectors of output channels.
template <int kRows, int kColumns>
VT_LANES void multiply_tile(int64_t depth, const float* w_NI, int64_t w_stride, const float* u_IO, float* m_NO,
                            int64_t m_stride) {
  Vec sums[kRows][kColumns];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) sums[r][c] = zero();
  }
  for (int64_t i = 0; i < depth; ++i) {
    Vec u[kColumns];
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) u[c] = load(u_IO + (i * kColumns + c) * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const Vec w = all(w_NI[r * w_stride + i]);
#pragma GCC unroll 4
      for (int c = 0; c < kColumns; ++c) sums[r][c] = fused(w, u[c], sums[r][c]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) store(m_NO + r * m_stride + c * kLanes, sums[r][c]);
  }
}

template <int kRows, int kColumns>
VT_LANES_CALL void multiply_up_to(int64_t rows, int64_t depth, const float* w_NI, int64_t w_stride, const float* u_IO,
                                  float* m_NO, int64_t m_stride) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_up_to<kRows - 1, kColumns>(rows, depth, w_NI, w_stride, u_IO, m_NO, m_stride);
  }
  multiply_tile<kRows, kColumns>(depth, w_NI, w_stride, u_IO, m_NO, m_stride);
}

// Tiles of nearly the same height: a low one waits for the weights.
template <int kColumns>
VT_LANES void multiply_rows(int64_t rows, int64_t depth, const float* w_NI, int64_t w_stride, const float* u_IO, float* m_NO,
                            int64_t m_stride) {
  constexpr int64_t kMost = kRowsOf<kColumns>;
  for (int64_t tiles = (rows + kMost - 1) / kMost; tiles > 0; --tiles) {
    const int64_t height = (rows + tiles - 1) / tiles;
    multiply_up_to<kMost, kColumns>(height, depth, w_NI, w_stride, u_IO, m_NO, m_stride);
    w_NI += height * w_stride;
    m_NO += height * m_stride;
    rows -= height;
  }
}

// Output channels `begin` to before `end` of one point; both stand at the edge of a panel of weights.
VT_LANES_CALL void multiply_point(int64_t rows, int64_t in, int64_t begin, int64_t end, int64_t out_padded, const float* w_NI,
                                  int64_t w_stride, const float* u, float* m_NO) {
  int64_t c = begin;
  if constexpr (kMostColumns == 4) {
    for (; end - c >= 4 * kLanes; c += 4 * kLanes) {
      multiply_rows<4>(rows, in, w_NI, w_stride, u + c * in, m_NO + c, out_padded);
    }
  }
  for (; end - c >= 2 * kLanes; c += 2 * kLanes) {
    multiply_rows<2>(rows, in, w_NI, w_stride, u + c * in, m_NO + c, out_padded);
  }
  for (; c < end; c += kLanes) multiply_rows<1>(rows, in, w_NI, w_stride, u + c * in, m_NO + c, out_padded);
}

// Input to points, and products at points to outputs: of F(3, 2) at 0, 1, -1, infinity.
VT_LANES void points_of_4(const Vec* d, Vec* v) {
  v[0] = subtract(d[2], d[0]);
  v[1] = add(d[2], d[1]);
  v[2] = subtract(d[2], d[1]);
  v[3] = subtract(d[3], d[1]);
}

VT_LANES void outputs_of_4(const Vec* m, Vec* y) {
  const Vec even = add(m[1], m[2]);
  y[0] = add(m[0], even);
  y[1] = subtract(m[1], m[2]);
  y[2] = add(even, m[3]);
}

// F(4, 3) at 0, 1, -1, 2, -2, infinity.
VT_LANES void points_of_6(const Vec* d, Vec* v) {
  const Vec four = all(4.0f), five = all(5.0f), two = all(2.0f);
  v[0] = fused(four, d[0], negated_fused(five, d[2], d[4]));
  const Vec even1 = negated_fused(four, d[2], d[4]), odd1 = negated_fused(four, d[1], d[3]);
  v[1] = add(even1, odd1);
  v[2] = subtract(even1, odd1);
  const Vec even2 = subtract(d[4], d[2]), odd2 = subtract(d[3], d[1]);
  v[3] = fused(two, odd2, even2);
  v[4] = negated_fused(two, odd2, even2);
  v[5] = fused(four, d[1], negated_fused(five, d[3], d[5]));
}

VT_LANES void outputs_of_6(const Vec* m, Vec* y) {
  const Vec even1 = add(m[1], m[2]), odd1 = subtract(m[1], m[2]), even2 = add(m[3], m[4]), odd2 = subtract(m[3], m[4]);
  y[0] = add(add(m[0], even1), even2);
  y[1] = fused(all(2.0f), odd2, odd1);
  y[2] = fused(all(4.0f), even2, even1);
  y[3] = add(fused(all(8.0f), odd2, odd1), m[5]);
}

// F(4, 4) at 1, -1, 2, -2, 1/2, -1/2, infinity.
VT_LANES void points_of_7(const Vec* d, Vec* v) {
  const Vec two = all(2.0f), half = all(0.5f);
  const Vec a = all(4.25f), b = all(1.25f), quarter = all(0.25f), four = all(4.0f), five = all(5.0f);
  const Vec even1 = add(negated_fused(a, d[2], d[4]), d[0]), odd1 = add(negated_fused(a, d[3], d[5]), d[1]);
  v[0] = add(odd1, even1);
  v[1] = subtract(odd1, even1);
  const Vec even2 = fused(quarter, d[0], negated_fused(b, d[2], d[4]));
  const Vec odd2 = fused(quarter, d[1], negated_fused(b, d[3], d[5]));
  v[2] = fused(two, even2, odd2);
  v[3] = negated_fused(two, even2, odd2);
  const Vec even3 = fused(four, d[0], negated_fused(five, d[2], d[4]));
  const Vec odd3 = fused(four, d[1], negated_fused(five, d[3], d[5]));
  v[4] = fused(half, even3, odd3);
  v[5] = negated_fused(half, even3, odd3);
  v[6] = fused(all(5.25f), subtract(d[2], d[4]), subtract(d[6], d[0]));
}

VT_LANES void outputs_of_7(const Vec* m, Vec* y) {
  const Vec even1 = add(m[0], m[1]), odd1 = subtract(m[0], m[1]), even2 = add(m[2], m[3]), odd2 = subtract(m[2], m[3]);
  const Vec even3 = add(m[4], m[5]), odd3 = subtract(m[4], m[5]);
  y[0] = add(add(even1, even2), even3);
  y[1] = fused(all(0.5f), odd3, fused(all(2.0f), odd2, odd1));
  y[2] = fused(all(0.25f), even3, fused(all(4.0f), even2, even1));
  y[3] = add(fused(all(0.125f), odd3, fused(all(8.0f), odd2, odd1)), m[6]);
}

// Samples of a tile of so many points.
template <int kPoints>
inline constexpr int kTileOf = kPoints == 4 ? 3 : 4;

template <int kPoints>
VT_LANES void points_of(const Vec* d, Vec* v) {
  if constexpr (kPoints == 4) points_of_4(d, v);
  if constexpr (kPoints == 6) points_of_6(d, v);
  if constexpr (kPoints == 7) points_of_7(d, v);
}

template <int kPoints>
VT_LANES void outputs_of(const Vec* m, Vec* y) {
  if constexpr (kPoints == 4) outputs_of_4(m, y);
  if constexpr (kPoints == 6) outputs_of_6(m, y);
  if constexpr (kPoints == 7) outputs_of_7(m, y);
}

VT_LANES Vec rectified(Vec x, Vec slope) { return larger(x, multiply(slope, x)); }

// Where a group's samples lie: sample i of it is sample `first + i dilation` of signal `signal`.
struct Group {
  int64_t signal, phase, index, first;
};

VT_LANES Group group_at(const WinogradConvolution& conv, const WinogradBlocks& blocks, int64_t samples, int64_t number) {
  const int64_t row = number / blocks.phase_groups, index = number % blocks.phase_groups;
  const int64_t phase = row % conv.dilation;
  return {row / conv.dilation, phase, index, phase + index * samples * conv.dilation};
}

VT_LANES void advance(const WinogradConvolution& conv, const WinogradBlocks& blocks, int64_t samples, Group& group) {
  group.first += samples * conv.dilation;
  if (++group.index < blocks.phase_groups) return;
  group.index = 0;
  if (++group.phase == conv.dilation) {
    group.phase = 0;
    ++group.signal;
  }
  group.first = group.phase;
}

// kLast: fewer channels than lanes.
template <int kPoints, bool kLast>
VT_LANES void load_tile(const float* x_TC, int64_t channels, int64_t begin, int64_t end, int64_t first, int64_t step,
                        int64_t lanes, bool rectify, Vec slope, Vec* v) {
  Vec d[kPoints];
  if (first >= begin && first + (kPoints - 1) * step < end) {
#pragma GCC unroll 7
    for (int i = 0; i < kPoints; ++i) {
      const float* row = x_TC + (first + i * step) * channels;
      d[i] = kLast ? load_first(row, lanes) : load(row);
    }
  } else {
#pragma GCC unroll 7
    for (int i = 0; i < kPoints; ++i) {
      const int64_t t = first + i * step;
      d[i] = t < begin || t >= end ? zero() : load_first(x_TC + t * channels, lanes);
    }
  }
  if (rectify) {
#pragma GCC unroll 7
    for (int i = 0; i < kPoints; ++i) d[i] = rectified(d[i], slope);
  }
  points_of<kPoints>(d, v);
}

// kTiles: of a group; kOuter: points over tiles.
template <int kPoints, int kOuter, int kTiles, bool kLast>
VT_LANES void transform_channels(const WinogradConvolution& conv, const WinogradFusion& fusion, const WinogradBlocks& blocks,
                                 int64_t begin, int64_t rows, const float* x_BTC, int64_t lanes, float* w, int64_t w_stride,
                                 int64_t point_stride) {
  constexpr int64_t kSamples = kTileOf<kPoints> * kTiles;
  const int64_t x_begin = -blocks.span.before, x_end = blocks.span.time + blocks.span.after;
  const bool rectify = fusion.input_slope != 1.0f;
  const Vec slope = all(fusion.input_slope);
  Vec v[kOuter][kPoints] = {};
  Group group = group_at(conv, blocks, kSamples, begin);
  for (int64_t n = 0; n < rows; ++n, advance(conv, blocks, kSamples, group)) {
    const float* x_TC = x_BTC + group.signal * blocks.span.time * conv.in;
    const int64_t first = group.first - conv.padding;
    const bool follows = n > 0 && group.index > 0;
    float* to = w + n * w_stride;
    if constexpr (kOuter == 1) {
      load_tile<kPoints, kLast>(x_TC, conv.in, x_begin, x_end, first, conv.dilation, lanes, rectify, slope, v[0]);
#pragma GCC unroll 7
      for (int p = 0; p < kPoints; ++p) store(to + p * point_stride, v[0][p]);
    } else {
      // The tiles that this group shares with the one before it.
      constexpr int kShared = kOuter - kTiles;
      if (follows) {
#pragma GCC unroll 4
        for (int u = 0; u < kShared; ++u) {
#pragma GCC unroll 7
          for (int p = 0; p < kPoints; ++p) v[u][p] = v[kTiles + u][p];
        }
      } else {
#pragma GCC unroll 4
        for (int u = 0; u < kShared; ++u) {
          load_tile<kPoints, kLast>(x_TC, conv.in, x_begin, x_end, first + 4 * u * conv.dilation, conv.dilation, lanes, rectify,
                                    slope, v[u]);
        }
      }
#pragma GCC unroll 4
      for (int u = kShared; u < kOuter; ++u) {
        load_tile<kPoints, kLast>(x_TC, conv.in, x_begin, x_end, first + 4 * u * conv.dilation, conv.dilation, lanes, rectify,
                                  slope, v[u]);
      }
#pragma GCC unroll 7
      for (int p = 0; p < kPoints; ++p) {
        Vec tiles[kOuter], products[kOuter];
#pragma GCC unroll 6
        for (int u = 0; u < kOuter; ++u) tiles[u] = v[u][p];
        points_of<kOuter>(tiles, products);
#pragma GCC unroll 6
        for (int u = 0; u < kOuter; ++u) store(to + (u * kPoints + p) * point_stride, products[u]);
      }
    }
  }
}

template <int kPoints, int kOuter, int kTiles, bool kLast>
VT_LANES void restore_channels(const WinogradConvolution& conv, const WinogradFusion& fusion, int64_t time, int64_t y_stride,
                               int64_t signal, int64_t first, int64_t channel, int64_t lanes, const float* m,
                               int64_t point_stride, float* y_BTC) {
  constexpr int kTile = kTileOf<kPoints>;
  Vec y[kTiles][kTile], of_tile[kTiles][kPoints];
#pragma GCC unroll 7
  for (int p = 0; p < kPoints; ++p) {
    if constexpr (kOuter == 1) {
      of_tile[0][p] = load(m + p * point_stride);
    } else {
      Vec products[kOuter], tiles[kTiles];
#pragma GCC unroll 6
      for (int u = 0; u < kOuter; ++u) products[u] = load(m + (u * kPoints + p) * point_stride);
      outputs_of<kOuter>(products, tiles);
#pragma GCC unroll 4
      for (int u = 0; u < kTiles; ++u) of_tile[u][p] = tiles[u];
    }
  }
#pragma GCC unroll 4
  for (int u = 0; u < kTiles; ++u) outputs_of<kPoints>(of_tile[u], y[u]);
  const Vec bias = conv.bias == nullptr ? zero() : kLast ? load_first(conv.bias + channel, lanes) : load(conv.bias + channel);
  const Vec scale = all(fusion.scale), slope = all(fusion.output_slope);
#pragma GCC unroll 16
  for (int i = 0; i < kTile * kTiles; ++i) {
    const int64_t t = first + i * conv.dilation;
    if (t >= time) break;
    const int64_t at = (signal * time + t) * y_stride + channel;
    Vec value = add(y[i / kTile][i % kTile], bias);
    if (fusion.residual != nullptr) {
      value = add(value, kLast ? load_first(fusion.residual + at, lanes) : load(fusion.residual + at));
    }
    if (fusion.sum != nullptr) value = add(value, kLast ? load_first(fusion.sum + at, lanes) : load(fusion.sum + at));
    if (fusion.scale != 1.0f) value = multiply(value, scale);
    if (fusion.output_slope != 1.0f) value = rectified(value, slope);
    if constexpr (kLast) {
      store_first(y_BTC + at, lanes, value);
    } else {
      store(y_BTC + at, value);
    }
  }
}

template <int kPoints, int kOuter, int kTiles>
VT_LANES_CALL void block_of(const WinogradConvolution& conv, const WinogradFusion& fusion, const WinogradBlocks& blocks,
                            int64_t number, const float* x_BTC, float* y_BTC, float* work) {
  const int64_t begin = number / blocks.parts * blocks.block_groups, part = number % blocks.parts;
  const int64_t rows = begin + blocks.block_groups < blocks.groups ? blocks.block_groups : blocks.groups - begin;
  const int64_t in_padded = padded(conv.in, kLanes), out_padded = padded(conv.out, kLanes);
  const int64_t first_out = part * blocks.part_channels;
  const int64_t last_out = first_out + blocks.part_channels < out_padded ? first_out + blocks.part_channels : out_padded;
  const int64_t w_point = point_stride(blocks.block_groups, in_padded), m_point = point_stride(blocks.block_groups, out_padded);
  float* w = work;
  float* m = work + kPoints * kOuter * w_point;
  int64_t c = 0;
  for (; c + kLanes <= conv.in; c += kLanes) {
    transform_channels<kPoints, kOuter, kTiles, false>(conv, fusion, blocks, begin, rows, x_BTC + c, kLanes, w + c, in_padded,
                                                       w_point);
  }
  if (c < conv.in) {
    transform_channels<kPoints, kOuter, kTiles, true>(conv, fusion, blocks, begin, rows, x_BTC + c, conv.in - c, w + c,
                                                      in_padded, w_point);
  }
  for (int64_t p = 0; p < kPoints * kOuter; ++p) {
    multiply_point(rows, conv.in, first_out, last_out, out_padded, w + p * w_point, in_padded,
                   conv.weights + p * conv.in * out_padded, m + p * m_point);
  }
  const int64_t y_stride = blocks.span.y_stride == 0 ? conv.out : blocks.span.y_stride;
  Group group = group_at(conv, blocks, kTileOf<kPoints> * kTiles, begin);
  for (int64_t n = 0; n < rows; ++n, advance(conv, blocks, kTileOf<kPoints> * kTiles, group)) {
    const float* from = m + n * out_padded;
    for (c = first_out; c + kLanes <= last_out && c + kLanes <= conv.out; c += kLanes) {
      restore_channels<kPoints, kOuter, kTiles, false>(conv, fusion, blocks.span.time, y_stride, group.signal, group.first, c,
                                                       kLanes, from + c, m_point, y_BTC);
    }
    if (c < last_out) {
      restore_channels<kPoints, kOuter, kTiles, true>(conv, fusion, blocks.span.time, y_stride, group.signal, group.first, c,
                                                      conv.out - c, from + c, m_point, y_BTC);
    }
  }
}

VT_LANES_CALL void block(const WinogradConvolution& conv, const WinogradFusion& fusion, const WinogradBlocks& blocks,
                         int64_t number, const float* x_BTC, float* y_BTC, float* work) {
  if (conv.kernel == 2) {
    block_of<4, 1, 1>(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  } else if (conv.kernel == 3) {
    block_of<6, 1, 1>(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  } else if (conv.kernel == 4) {
    block_of<7, 1, 1>(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  } else if (conv.kernel <= 8) {
    block_of<7, 4, 3>(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  } else {
    block_of<7, 6, 4>(conv, fusion, blocks, number, x_BTC, y_BTC, work);
  }
}
