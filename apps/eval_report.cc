#include "eval_report.h"

#include <cstdio>

#include "progress.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

void append_number(std::string& json, const std::string& name, double value) {
  json += ",\"" + name + "\":";
  append_json_number(json, value);
}

void append_count(std::string& json, const std::string& name, std::size_t count) {
  json += ",\"" + name + "\":" + std::to_string(count);
}

void append_averages(std::string& json, const std::string& name, const Averages& averages) {
  if (averages.total == 0) return;
  append_number(json, name + "_exact", averages.exact);
  append_number(json, name + "_f1", averages.f1);
  append_count(json, name + "_total", averages.total);
}

void append_interval(std::string& json, const char* name, const Interval& interval) {
  json += ",\"" + std::string(name) + "\":[";
  append_json_number(json, interval.low);
  json += ',';
  append_json_number(json, interval.high);
  json += ']';
}

}  // namespace

std::string evaluation_json(const SquadData& data, const Evaluation& e, std::size_t errors,
                            double seconds) {
  std::string json = "{\"exact_match\":";
  append_json_number(json, e.all.exact);
  append_number(json, "f1", e.all.f1);
  append_count(json, "total", e.all.total);
  append_number(json, "seconds", seconds);
  append_number(json, "questions_per_second", static_cast<double>(e.all.total) / seconds);
  append_interval(json, "exact_match_ci95", e.exact_range);
  append_interval(json, "f1_ci95", e.f1_range);
  append_averages(json, "HasAns", e.has_answer);
  append_averages(json, "NoAns", e.no_answer);
  if (data.v2) {
    append_number(json, "no_answer_precision", e.no_answer_precision);
    append_number(json, "no_answer_recall", e.no_answer_recall);
    append_number(json, "no_answer_f1", e.no_answer_f1);
  }
  append_count(json, "errors", errors);
  return json + "}\n";
}

std::string evaluation_text(const SquadData& data, const Evaluation& e, double seconds) {
  char text[512];
  std::snprintf(text, sizeof text,
                "exact match  %.2f  (95 %%: %.2f to %.2f)\nF1           %.2f  (95 %%: %.2f to "
                "%.2f)\nquestions    %zu in %s, %.1f a second\n",
                e.all.exact, e.exact_range.low, e.exact_range.high, e.all.f1, e.f1_range.low,
                e.f1_range.high, e.all.total, duration_text(seconds).c_str(),
                static_cast<double>(e.all.total) / seconds);
  std::string lines = text;
  if (!data.v2) return lines;
  std::snprintf(text, sizeof text,
                "answerable   %zu: exact match %.2f, F1 %.2f\nunanswerable %zu: right %.2f\n"
                "no answer    precision %.2f, recall %.2f, F1 %.2f\n",
                e.has_answer.total, e.has_answer.exact, e.has_answer.f1, e.no_answer.total,
                e.no_answer.exact, e.no_answer_precision, e.no_answer_recall, e.no_answer_f1);
  return lines + text;
}

}  // namespace lambert
