#include "qa/decoder.h"

#include "qa/calibrated_decoder.h"
#include "qa/hf_decoder.h"
#include "qa/squad_decoder.h"

namespace lambert {

std::unique_ptr<Decoder> make_decoder(const ResolvedParameters& parameters,
                                      std::string_view context, const Encoding& encoding) {
  switch (parameters.mode) {
    case Mode::kSquad: return std::make_unique<SquadDecoder>(parameters, context, encoding);
    case Mode::kCalibrated:
      return std::make_unique<CalibratedDecoder>(parameters, context, encoding);
    case Mode::kHf: break;
  }
  return std::make_unique<HfDecoder>(parameters, context, encoding);
}

}  // namespace lambert
