// Every recorded set of the public reference, in float32 and float64, on the default path and on the plain one.
#include "parity/parity.h"

#include <algorithm>

#include "core/check.h"
#include "fixtures.h"

namespace valetts {
namespace {

void check_set(const std::string& set, Precision precision, bool plain_path) {
  CAPTURE(std::string(name_of(precision)));
  CAPTURE(plain_path);
  const std::string path = testing::fixture_path(set + ".safetensors");
  const ParityReport report =
      check_parity({path.substr(0, path.rfind('/')), set, at::kCPU, precision, plain_path});
  size_t compared = 0;
  for (const ParityRow& row : report.rows()) {
    CAPTURE(row.tensor);
    compared += row.kind != ParityKind::kNotCompared;
    CHECK_MESSAGE(row.passed, row.set, ": error ", row.error, ", limit ", row.limit);
  }
  CHECK_GT(compared, 0);
}

void check_module(const std::string& set) {
  check_set(set, Precision::kFp32, false);
  check_set(set, Precision::kFp32, true);
}

void check_step(const std::string& set) {
  check_set(set, Precision::kFp32, false);
  check_set(set, Precision::kFp32, true);
  check_set(set, Precision::kFp64, false);
}

TEST_SUITE("parity") {
  TEST_CASE("spectrograms equal the reference") {
    VT_FIXTURE(path, "stft.safetensors");
    check_module("stft");
  }
  TEST_CASE("the transformer encoder equals the reference") {
    VT_FIXTURE(path, "encoder.safetensors");
    check_module("encoder");
  }
  TEST_CASE("every supported flow equals the reference in both directions") {
    VT_FIXTURE(path, "flows.safetensors");
    check_module("flows");
  }
  TEST_CASE("the spline equals the reference in both directions") {
    VT_FIXTURE(path, "spline.safetensors");
    check_module("spline");
  }
  TEST_CASE("alignment search equals the reference") {
    VT_FIXTURE(path, "mas.safetensors");
    check_module("mas");
  }
  TEST_CASE("both duration discriminators equal the reference") {
    VT_FIXTURE(path, "durdisc.safetensors");
    check_module("durdisc");
  }
  TEST_CASE("the published single-speaker networks equal the reference") {
    VT_FIXTURE(path, "fullsize_ljs.safetensors");
    check_set("fullsize_ljs", Precision::kFp32, false);
  }
  TEST_CASE("the published multi-speaker networks equal the reference") {
    VT_FIXTURE(path, "fullsize_vctk.safetensors");
    check_set("fullsize_vctk", Precision::kFp32, false);
  }
  TEST_CASE("a step equals the reference: one speaker, mel posterior, stochastic durations") {
    VT_FIXTURE(path, "step_ss_mel_sdp.safetensors");
    check_step("step_ss_mel_sdp");
  }
  TEST_CASE("a step equals the reference: three speakers, mel posterior, stochastic durations") {
    VT_FIXTURE(path, "step_ms_mel_sdp.safetensors");
    check_step("step_ms_mel_sdp");
  }
  TEST_CASE("a step equals the reference: one speaker, linear posterior, deterministic durations") {
    VT_FIXTURE(path, "step_ss_lin_dp.safetensors");
    check_step("step_ss_lin_dp");
  }
  TEST_CASE("a step equals the reference: three speakers, linear posterior, residual block 2") {
    VT_FIXTURE(path, "step_ms_lin_dp.safetensors");
    check_step("step_ms_lin_dp");
  }
  TEST_CASE("a step equals the reference: VITS of 2021") {
    VT_FIXTURE(path, "step_ss_vits1.safetensors");
    check_step("step_ss_vits1");
  }
  TEST_CASE("bfloat16 stays within its limits on the CPU") {
    VT_FIXTURE(path, "step_ms_mel_sdp.safetensors");
    for (const char* set : {"encoder", "flows", "durdisc", "step_ms_mel_sdp"}) check_set(set, Precision::kBf16, false);
  }
  TEST_CASE("float16 with its loss scale stays within its limits on the CPU") {
    VT_FIXTURE(path, "step_ms_mel_sdp.safetensors");
    for (const char* set : {"encoder", "flows", "durdisc", "step_ms_mel_sdp", "step_ms_lin_dp"}) {
      check_set(set, Precision::kFp16, false);
    }
  }
  TEST_CASE("TF32 is refused where there are no tensor cores") {
    CHECK_THROWS_WITH_AS(check_parity({"/nowhere", "stft", at::kCPU, Precision::kTf32, false}), doctest::Contains("tf32"),
                         Error);
  }
  TEST_CASE("a set that the core knows nothing about is refused by name") {
    CHECK_THROWS_WITH_AS(check_parity({"/nowhere", "vocos", at::kCPU, Precision::kFp32, false}),
                         doctest::Contains("'vocos'"), Error);
  }
  TEST_CASE("a missing file is named") {
    CHECK_THROWS_WITH_AS(check_parity({"/nowhere", "stft", at::kCPU, Precision::kFp32, false}),
                         doctest::Contains("/nowhere/stft.safetensors"), Error);
  }
}

}  // namespace
}  // namespace valetts
