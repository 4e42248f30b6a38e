// The core against numbers recorded from the public reference, set by set (the fixtures' README describes them).
//
// Every check calls the code that training and synthesis call: no second implementation of anything is compared.
#pragma once

#include <string>
#include <vector>

#include "parity/report.h"

namespace valetts {

struct ParityRequest {
  std::string folder;
  std::string set;  // a file of the folder without its ending, e.g. step_ss_mel_sdp
  at::Device device = at::kCPU;
  Precision precision = Precision::kFp32;
  bool plain_path = false;
};

// Errors: IO naming the file or tensor that is missing; INVALID_ARGUMENT for a set this core knows nothing about.
ParityReport check_parity(const ParityRequest& request);

}  // namespace valetts
