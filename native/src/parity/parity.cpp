#include "parity/parity.h"

#include "core/check.h"
#include "core/path.h"
#include "parity/checks.h"

namespace valetts {

namespace {

bool begins_with(const std::string& text, const std::string& beginning) {
  return text.compare(0, beginning.size(), beginning) == 0;
}

using Check = void (*)(const Fixture&, const ParityRequest&, ParityReport&);

Check check_of(const std::string& set) {
  if (set == "stft") return check_spectrogram;
  if (set == "encoder") return check_encoder;
  if (set == "flows") return check_flows;
  if (set == "spline") return check_spline;
  if (set == "mas") return check_alignment;
  if (set == "durdisc") return check_duration_discriminators;
  if (begins_with(set, "fullsize_")) return check_full_size;
  if (begins_with(set, "step_")) return check_step;
  fail(StatusCode::kInvalidArgument, "there is no parity check for a set named '", set,
       "'; known are stft, encoder, flows, spline, mas, durdisc, fullsize_* and step_*");
}

}  // namespace

ParityReport check_parity(const ParityRequest& request) {
  const Check check = check_of(request.set);
  check_precision(request.precision, request.device);
  const PlainPathScope path(request.plain_path);
  const Fixture fixture(request.folder + "/" + request.set + ".safetensors", request.device,
                        parameter_type(request.precision));
  ParityReport report(request.set, request.precision);
  check(fixture, request, report);
  for (const std::string& name : fixture.unused()) report.not_compared(name);
  return report;
}

}  // namespace valetts
