// Logits of tiny random checkpoints written by transformers 5.2.0, which cover every field of
// config.json and every naming of tensors, against torch in float32 (tools/goldens).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "base/json.h"
#include "base/mapped_file.h"
#include "model/encoder.h"
#include "qa/loaded_model.h"

namespace lambert {
namespace {

namespace json = boost::json;

const std::filesystem::path kTiny = LAMBERT_SOURCE_DIR "/tests/model/data/tiny";

template <typename T>
std::vector<T> numbers(const json::value& array) {
  std::vector<T> list;
  for (const json::value& number : array.as_array()) list.push_back(number.to_number<T>());
  return list;
}

double difference(const std::vector<float>& logits, const json::object& input) {
  const auto start = numbers<double>(input.at("start")), end = numbers<double>(input.at("end"));
  double largest = 0;
  for (std::size_t i = 0; i < start.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(logits[2 * i]) - start[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(logits[2 * i + 1]) - end[i]));
  }
  return largest;
}

std::vector<float> logits_of(const LoadedModel& model, const json::object& input,
                             const Kernels& kernels, ThreadPool& pool) {
  const auto ids = numbers<std::int32_t>(input.at("input_ids"));
  std::vector<std::int32_t> type_ids(ids.size());
  if (const auto* given = input.if_contains("token_type_ids")) {
    type_ids = numbers<std::int32_t>(*given);
  }
  std::vector<std::uint32_t> rows(ids.size());
  std::iota(rows.begin(), rows.end(), 0U);
  const std::vector<std::uint32_t> ends = {0, static_cast<std::uint32_t>(ids.size())};
  Workspace workspace(model.config, model.weights.precision, ids.size(), ids.size(),
                      pool.threads());
  std::vector<float> logits(2 * ids.size());
  forward(model.config, model.weights, {ids, type_ids, ends, rows, ends}, workspace, kernels, pool,
          logits);
  return logits;
}

TEST(Logits, OfTinyCheckpointsAreThoseOfTorchOnEveryIsa) {
  ThreadPool pool(2);
  std::size_t checkpoints = 0, inputs = 0;
  double largest = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kTiny)) {
    const std::string path = entry.path().string();
    ++checkpoints;
    for (const Kernels* kernels : all_kernels()) {
      if (!kernels->supported()) continue;
      const LoadedModel model = load_model({.model = path}, *kernels, pool);
      const json::value goldens =
          parse_json(read_file(path + "/goldens.json", 1 << 22), path, ErrorCode::kInternal);
      for (const json::value& input : goldens.at("inputs").as_array()) {
        const auto logits = logits_of(model, input.as_object(), *kernels, pool);
        const double found = difference(logits, input.as_object());
        EXPECT_LE(found, 1e-4) << path << ", " << kernels->name << ", " << logits.size() / 2
                               << " tokens";
        largest = std::max(largest, found);
        ++inputs;
      }
    }
  }
  EXPECT_GE(checkpoints, 12U);
  std::printf("%zu checkpoints, %zu inputs, largest difference %.2g\n", checkpoints, inputs,
              largest);
}

}  // namespace
}  // namespace lambert
