#include "eval_report.h"

#include <gtest/gtest.h>

namespace lambert {
namespace {

// 100,000 questions were 1e+05.
TEST(EvalReport, CountsHaveNoExponent) {
  SquadData data;
  Evaluation evaluation;
  evaluation.all.total = 300000;
  evaluation.has_answer.total = 100000;
  evaluation.no_answer.total = 200000;
  const std::string json = evaluation_json(data, evaluation, 1000000, 1.0);
  for (const char* member : {"\"total\":300000,", "\"HasAns_total\":100000,",
                             "\"NoAns_total\":200000,", "\"errors\":1000000}"}) {
    EXPECT_NE(json.find(member), std::string::npos) << member << json;
  }
}

}  // namespace
}  // namespace lambert
