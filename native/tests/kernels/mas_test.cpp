#include "mas/mas.h"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "core/check.h"
#include "core/path.h"
#include "core/random.h"
#include "fixtures.h"
#include "interop/safetensors.h"
#include "tensor_checks.h"

namespace valetts {
namespace {

at::Tensor score_BST(int64_t batch, int64_t frames, int64_t tokens, int64_t seed) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b < batch; ++b) {
    ids.push_back(b);
  }
  return Draws(seed, 0).normal_BCT(0, ids, frames, tokens) * 10 - 5;
}

at::Tensor path_of(const at::Tensor& score, const at::Tensor& text_len, const at::Tensor& frame_len) {
  return expand_durations_BST(mas_path(score, text_len, frame_len), score.size(1));
}

// The reference's loops, written out: in place, whole matrices, path by path.
at::Tensor path_by_definition_ST(const at::Tensor& score_ST, int64_t text_len, int64_t frame_len) {
  at::Tensor q_ST = score_ST.clone().contiguous();
  at::Tensor path_ST = at::zeros_like(q_ST);
  auto q = q_ST.accessor<float, 2>();
  auto path = path_ST.accessor<float, 2>();
  const float lowest = -1e9f;
  for (int64_t s = 0; s < frame_len; ++s) {
    for (int64_t t = std::max<int64_t>(0, text_len + s - frame_len); t < std::min<int64_t>(text_len, s + 1); ++t) {
      const float stay = t == s ? lowest : q[s - 1][t];
      const float move = t == 0 ? (s == 0 ? 0.0f : lowest) : q[s - 1][t - 1];
      q[s][t] += std::max(stay, move);
    }
  }
  int64_t t = text_len - 1;
  for (int64_t s = frame_len - 1; s >= 0; --s) {
    path[s][t] = 1;
    if (t != 0 && (t == s || q[s - 1][t] < q[s - 1][t - 1])) {
      --t;
    }
  }
  return path_ST;
}

// The largest sum over all monotone paths, by trying every one.
double best_by_trying(const at::Tensor& score_ST, int64_t text_len, int64_t frame_len) {
  const auto score = score_ST.accessor<float, 2>();
  const std::function<double(int64_t, int64_t)> best = [&](int64_t s, int64_t t) -> double {
    if (s == 0) {
      return t == 0 ? score[0][0] : -std::numeric_limits<double>::infinity();
    }
    const double stay = best(s - 1, t);
    const double move = t > 0 ? best(s - 1, t - 1) : -std::numeric_limits<double>::infinity();
    return score[s][t] + std::max(stay, move);
  };
  return best(frame_len - 1, text_len - 1);
}

void check_valid(const at::Tensor& path_BST, const at::Tensor& text_len_B, const at::Tensor& frame_len_B) {
  for (int64_t b = 0; b < path_BST.size(0); ++b) {
    const int64_t text_len = text_len_B[b].item<int64_t>();
    const int64_t frame_len = frame_len_B[b].item<int64_t>();
    const at::Tensor valid_ST = path_BST[b].slice(0, 0, frame_len).slice(1, 0, text_len);
    CHECK(path_BST[b].sum().item<int64_t>() == frame_len);
    CHECK(valid_ST.sum(1).eq(1).all().item<bool>());
    CHECK(valid_ST.sum(0).ge(1).all().item<bool>());
    const at::Tensor token_S = valid_ST.argmax(1);
    CHECK(token_S[0].item<int64_t>() == 0);
    CHECK(token_S[frame_len - 1].item<int64_t>() == text_len - 1);
    if (frame_len > 1) {
      const at::Tensor step_S = token_S.slice(0, 1) - token_S.slice(0, 0, -1);
      CHECK((step_S.ge(0) & step_S.le(1)).all().item<bool>());
    }
  }
}

}  // namespace

TEST_SUITE_BEGIN("kernels/mas");

TEST_CASE("paths equal the reference's, ties and degenerate lengths included") {
  VT_FIXTURE(path, "mas.safetensors");
  const SafetensorsFile file = load_safetensors(path);
  for (const std::string name : {"rand", "ties", "big", "min"}) {
    CAPTURE(name);
    const at::Tensor actual =
        path_of(*file.find(name + "/value"), *file.find(name + "/t_x"), *file.find(name + "/t_y"));
    VT_CHECK_SAME_BITS(actual.to(at::kChar), *file.find(name + "/path"));
  }
}

TEST_CASE("durations expand to the reference's path") {
  VT_FIXTURE(path, "mas.safetensors");
  const SafetensorsFile file = load_safetensors(path);
  const at::Tensor durations_BT = file.find("gen/dur")->squeeze(1);
  VT_CHECK_SAME_BITS(expand_durations_BST(durations_BT, 20).to(at::kChar), *file.find("gen/path"));
}

TEST_CASE("path is the best of all paths") {
  for (int64_t frames = 1; frames <= 8; ++frames) {
    for (int64_t tokens = 1; tokens <= frames; ++tokens) {
      CAPTURE(frames);
      CAPTURE(tokens);
      for (int64_t seed = 0; seed < 4; ++seed) {
        at::Tensor score = score_BST(1, frames, tokens, seed);
        if (seed >= 2) {
          score = (score / 8).round();  // ties
        }
        const at::Tensor lengths_T = at::tensor({tokens}, at::kInt);
        const at::Tensor lengths_S = at::tensor({frames}, at::kInt);
        const at::Tensor path_BST = path_of(score, lengths_T, lengths_S);
        check_valid(path_BST, lengths_T, lengths_S);
        CHECK((path_BST[0] * score[0]).sum().item<double>() ==
              doctest::Approx(best_by_trying(score[0], tokens, frames)).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("ragged batches of all sizes equal the written-out loops, twice, inputs unchanged") {
  for (const int64_t batch : {1, 16}) {
    for (const int64_t size : {1, 2, 31, 32, 33, 129, 1134}) {
      if (batch == 16 && size == 1134) {
        continue;  // covered by 129; the written-out loops are slow
      }
      CAPTURE(batch);
      CAPTURE(size);
      const int64_t tokens = size;
      const int64_t frames = size + size / 2;
      at::Tensor score = score_BST(batch, frames, tokens, size);
      if (size % 2 == 1) {
        score = score.round();
      }
      const at::Tensor before = score.clone();
      at::Tensor text_len_B = at::empty({batch}, at::kLong);
      at::Tensor frame_len_B = at::empty({batch}, at::kLong);
      for (int64_t b = 0; b < batch; ++b) {
        text_len_B[b] = std::max<int64_t>(1, tokens - b * 7 % tokens);
        frame_len_B[b] = std::max<int64_t>(text_len_B[b].item<int64_t>(), frames - b * 5 % frames);
      }
      const at::Tensor durations_BT = mas_path(score, text_len_B, frame_len_B);
      const at::Tensor path_BST = expand_durations_BST(durations_BT, frames);
      check_valid(path_BST, text_len_B, frame_len_B);
      for (int64_t b = 0; b < batch; ++b) {
        VT_CHECK_SAME_BITS(path_BST[b], path_by_definition_ST(score[b], text_len_B[b].item<int64_t>(),
                                                              frame_len_B[b].item<int64_t>()));
      }
      VT_CHECK_SAME_BITS(mas_path(score, text_len_B.to(at::kInt), frame_len_B.to(at::kInt)), durations_BT);
      VT_CHECK_SAME_BITS(score, before);
    }
  }
}

TEST_CASE("vectors and plain loops find the same path at every length, whatever the score") {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const int64_t tokens : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 129, 1134}) {
    for (const int64_t extra : {int64_t{0}, int64_t{1}, tokens / 2, 3 * tokens}) {
      CAPTURE(tokens);
      CAPTURE(extra);
      const int64_t frames = tokens + extra;
      const at::Tensor plain_score = score_BST(3, frames, tokens, tokens + extra);
      at::Tensor ugly = plain_score.clone();
      ugly.masked_fill_(plain_score.gt(5), kNaN).masked_fill_(plain_score.lt(-20), -kInfinity);
      const at::Tensor text_len_B = at::tensor({tokens, (tokens + 1) / 2, int64_t{1}}, at::kLong);
      const at::Tensor frame_len_B = at::tensor({frames, (frames + tokens) / 2, frames}, at::kLong);
      for (const at::Tensor& score : {plain_score, (plain_score / 8).round(), plain_score * 1e8f, ugly}) {
        const at::Tensor durations_BT = mas_path(score, text_len_B, frame_len_B);
        const PlainPathScope plain(true);
        VT_CHECK_SAME_BITS(durations_BT, mas_path(score, text_len_B, frame_len_B));
      }
    }
  }
}

TEST_CASE("scores beyond the reference's minus infinity and non-finite ones still give a path") {
  const at::Tensor text_len_B = at::tensor({4}, at::kInt);
  const at::Tensor frame_len_B = at::tensor({9}, at::kInt);
  const at::Tensor low = at::full({1, 9, 4}, -3e9f) + score_BST(1, 9, 4, 3) * 1e8f;
  VT_CHECK_SAME_BITS(path_of(low, text_len_B, frame_len_B)[0], path_by_definition_ST(low[0], 4, 9));
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    check_valid(path_of(at::full({1, 9, 4}, value), text_len_B, frame_len_B), text_len_B, frame_len_B);
  }
}

TEST_CASE("bad lengths, types and layouts are refused") {
  const at::Tensor score = score_BST(2, 6, 4, 1);
  const auto lengths = [](int a, int b) { return at::tensor({a, b}, at::kInt); };
  CHECK_THROWS_WITH_AS(mas_path(score, lengths(4, 4), lengths(6, 3)),
                       "alignment: item 1 has 3 frames, expected 4 (one a token) to 6", Error);
  CHECK_THROWS_AS(mas_path(score, lengths(0, 4), lengths(6, 6)), Error);
  CHECK_THROWS_AS(mas_path(score, lengths(5, 4), lengths(6, 6)), Error);
  CHECK_THROWS_AS(mas_path(score, lengths(4, 4), lengths(7, 6)), Error);
  CHECK_THROWS_AS(mas_path(score, at::tensor({4}, at::kInt), lengths(6, 6)), Error);
  CHECK_THROWS_AS(mas_path(score, lengths(4, 4).to(at::kFloat), lengths(6, 6)), Error);
  CHECK_THROWS_AS(mas_path(score.to(at::kDouble), lengths(4, 4), lengths(6, 6)), Error);
  CHECK_THROWS_AS(mas_path(score.transpose(1, 2), lengths(4, 4), lengths(6, 6)), Error);
  CHECK_THROWS_AS(mas_path(score[0], lengths(4, 4), lengths(6, 6)), Error);
}

TEST_CASE("frames are given to tokens in order") {
  const at::Tensor durations_BT = at::tensor({2, 0, 3, 0, 1, 0, 0, 0}, at::kFloat).view({2, 4});
  VT_CHECK_SAME_BITS(token_of_frame_BS(durations_BT, 7),
                     at::tensor({0, 0, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0}, at::kLong).view({2, 7}));
  const at::Tensor path_BST = expand_durations_BST(durations_BT, 7);
  CHECK(path_BST.sum().item<float>() == 6.0f);
  CHECK(path_BST[0][4][2].item<float>() == 1.0f);
  CHECK(path_BST[0][5].sum().item<float>() == 0.0f);
  CHECK(expand_durations_BST(durations_BT, 4)[0].sum().item<float>() == 4.0f);
  CHECK(expand_durations_BST(durations_BT, 0).numel() == 0);
}

TEST_SUITE_END();

}  // namespace valetts
