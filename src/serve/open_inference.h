// The Open Inference Protocol, version 2 (KServe, Triton): tensors in JSON.
//
//   {"inputs":[{"name":"question","shape":[N],"datatype":"BYTES","data":[...]},
//              {"name":"context", "shape":[N],"datatype":"BYTES","data":[...]}],
//    "parameters":{"top_k":1,...}, "id":...}
//
// asks question i over context i; one question may go with many contexts, and the other way round.
// The shape may be [N,1] too. The reply has the outputs "answer" (BYTES), "score" (FP32), "start"
// and "end" (INT64) of shape [N], or those that the request names in "outputs": the best answer of
// each pair. The binary extension is not spoken.
#pragma once

#include "serve/http_service.h"

namespace lambert {

std::string open_inference_server_json();
std::string open_inference_model_json(const ServiceSettings& settings);

// The reply's JSON. Throws as submit and Pending::wait.
std::string open_inference(const boost::json::value& value, const Answerer& answerer,
                           const ServiceSettings& settings, const AskLimits& limits,
                           AskStats& stats);

}  // namespace lambert
