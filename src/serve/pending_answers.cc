#include "serve/pending_answers.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "wire/result_line.h"

namespace lambert {

namespace {

bool is_empty(const FoundAnswer& found) {
  return found.answer.start == found.answer.end;
}

// Leaves of the answers "" the one with the lowest score where every document has one, else none.
// A document that lacks it has top_k better answers, so it is not missed. Mode squad decides for or
// against "" by a threshold: there it is first or it is not an answer.
void settle_no_answer(std::vector<FoundAnswer>& found, std::size_t documents, Mode mode,
                      const std::vector<bool>& chosen) {
  std::vector<FoundAnswer> empty;
  std::copy_if(found.begin(), found.end(), std::back_inserter(empty), is_empty);
  found.erase(std::remove_if(found.begin(), found.end(), is_empty), found.end());
  const bool everywhere = mode == Mode::kSquad ? std::count(chosen.begin(), chosen.end(), true) ==
                                                     static_cast<std::ptrdiff_t>(documents)
                                               : empty.size() == documents;
  if (!everywhere) return;
  const auto lower = [](const FoundAnswer& a, const FoundAnswer& b) {
    return a.answer.score < b.answer.score;
  };
  found.insert(found.begin(), *std::min_element(empty.begin(), empty.end(), lower));
}

// The best `top_k` answers of the documents' results.
std::vector<FoundAnswer> merge(std::vector<Result>& results, const Parameters& parameters) {
  std::vector<FoundAnswer> found;
  std::vector<bool> chosen;  // (documents) whether "" comes first
  for (std::size_t d = 0; d < results.size(); ++d) {
    std::vector<Answer>& answers = results[d].answers;
    chosen.push_back(!answers.empty() && answers[0].start == answers[0].end);
    for (Answer& answer : answers) found.push_back({std::move(answer), d});
  }
  if (results.size() == 1) return found;
  settle_no_answer(found, results.size(), parameters.mode, chosen);
  const bool no_answer_first =
      parameters.mode == Mode::kSquad && !found.empty() && is_empty(found[0]);
  std::stable_sort(
      found.begin() + (no_answer_first ? 1 : 0), found.end(),
      [](const FoundAnswer& a, const FoundAnswer& b) { return a.answer.score > b.answer.score; });
  const auto top_k = static_cast<std::size_t>(parameters.top_k);
  if (found.size() > top_k) found.resize(top_k);
  return found;
}

std::optional<double> no_answer_score(const std::vector<Result>& results) {
  std::optional<double> lowest;
  for (const Result& result : results) {
    if (!result.no_answer_score) return std::nullopt;
    lowest = std::min(lowest.value_or(*result.no_answer_score), *result.no_answer_score);
  }
  return lowest;
}

}  // namespace

PendingAnswers::PendingAnswers(AskRequest request, const boost::json::value& value,
                               const Answerer& answerer, const AskSettings& settings,
                               const AskLimits& limits)
    : request_(std::move(request)) {
  for (std::size_t q = 0; q < size(); ++q) {
    std::vector<Pending>& pending = pending_.emplace_back();
    for (std::size_t d = 0; d < query(q).documents->size(); ++d) {
      pending.push_back(submit(q, d, value, answerer, limits));
      windows_ += pending.back().partial().windows_total;
      if (windows_ <= settings.max_windows) continue;
      throw RequestError(
          ErrorCode::kLimitExceeded, 413, query(q).context_at,
          "max_windows: the request has more than " + std::to_string(settings.max_windows) +
              " windows of max_seq_len tokens; send shorter texts or several requests");
    }
  }
}

Pending PendingAnswers::submit(std::size_t q, std::size_t d, const boost::json::value& value,
                               const Answerer& answerer, const AskLimits& limits) {
  constexpr std::size_t kShort = 16;  // as the engine's own steps for windows
  const Query& asked = query(q);
  Question question{.question = asked.question,
                    .context = (*asked.documents)[d].text,
                    .parameters = asked.parameters,
                    .priority = -static_cast<int>(std::bit_width(pairs_++ / kShort)),
                    .deadline = limits.deadline,
                    .cancelled = limits.cancelled};
  try {
    return answerer.submit(std::move(question));
  } catch (const Error& error) {
    throw RequestError(error.code(), http_status(error.code()),
                       asked.place_of(error.what(), d, value), error.what());
  }
}

FoundAnswers PendingAnswers::wait(std::size_t index) {
  AskStats& stats = request_.stats;
  std::vector<Result> results;
  for (Pending& one : pending_[index]) {
    const Result& result = results.emplace_back(one.wait());
    stats.windows += result.windows_total;
    stats.tokens += result.tokens;
    stats.batch_windows = std::max(stats.batch_windows, result.batch_windows);
    stats.tokenize_ms = std::max(stats.tokenize_ms, result.tokenize_ms);
    stats.queue_ms = std::max(stats.queue_ms, result.queue_ms);
    stats.compute_ms = std::max(stats.compute_ms, result.compute_ms);
  }
  pending_[index].clear();  // and with it the copies of the texts
  FoundAnswers found{.answers = {}, .no_answer_score = no_answer_score(results)};
  found.answers = merge(results, query(index).parameters);
  stats.answers += found.answers.size();
  return found;
}

void append_found(std::string& out, const FoundAnswer& found, const Query& query,
                  std::optional<std::size_t> question) {
  out += '{';
  append_answer_fields(out, found.answer);
  if (question) out += ",\"question\":" + std::to_string(*question);
  if (query.says_document || question) {
    out += ",\"document\":" + std::to_string(found.document);
    const std::string& id = (*query.documents)[found.document].id;
    if (!id.empty()) out += ",\"document_id\":" + id;
  }
  out += '}';
}

}  // namespace lambert
