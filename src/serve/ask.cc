#include "serve/ask.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "serve/ask_request.h"
#include "wire/json_writer.h"
#include "wire/result_line.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxDepth = 16;  // a request has six levels

struct Found {
  Answer answer;
  std::size_t document;
};

// Leaves of the answers "" the one with the lowest score where every document has one, else none.
// A document that lacks it has top_k better answers, so it is not missed. Mode squad decides for or
// against "" by a threshold: there it is first or it is not an answer.
void settle_no_answer(std::vector<Found>& found, std::size_t documents, Mode mode,
                      const std::vector<bool>& chosen) {
  const auto is_empty = [](const Found& one) { return one.answer.start == one.answer.end; };
  std::vector<Found> empty;
  std::copy_if(found.begin(), found.end(), std::back_inserter(empty), is_empty);
  found.erase(std::remove_if(found.begin(), found.end(), is_empty), found.end());
  const bool everywhere = mode == Mode::kSquad ? std::count(chosen.begin(), chosen.end(), true) ==
                                                     static_cast<std::ptrdiff_t>(documents)
                                               : empty.size() == documents;
  if (!everywhere) return;
  const auto lower = [](const Found& a, const Found& b) { return a.answer.score < b.answer.score; };
  found.insert(found.begin(), *std::min_element(empty.begin(), empty.end(), lower));
}

// The best `top_k` answers of the documents' results.
std::vector<Found> merge(std::vector<Result>& results, const Parameters& parameters) {
  std::vector<Found> found;
  std::vector<bool> chosen;  // (documents) whether "" comes first
  for (std::size_t d = 0; d < results.size(); ++d) {
    std::vector<Answer>& answers = results[d].answers;
    chosen.push_back(!answers.empty() && answers[0].start == answers[0].end);
    for (Answer& answer : answers) found.push_back({std::move(answer), d});
  }
  if (results.size() == 1) return found;
  settle_no_answer(found, results.size(), parameters.mode, chosen);
  const bool no_answer_first = parameters.mode == Mode::kSquad && !found.empty() &&
                               found[0].answer.start == found[0].answer.end;
  std::stable_sort(found.begin() + (no_answer_first ? 1 : 0), found.end(),
                   [](const Found& a, const Found& b) { return a.answer.score > b.answer.score; });
  const auto top_k = static_cast<std::size_t>(parameters.top_k);
  if (found.size() > top_k) found.resize(top_k);
  return found;
}

void append_found(std::string& out, const Found& found, const Query& query) {
  out += '{';
  append_answer_fields(out, found.answer);
  if (query.says_document) {
    out += ",\"document\":" + std::to_string(found.document);
    const std::string& id = (*query.documents)[found.document].id;
    if (!id.empty()) out += ",\"document_id\":" + id;
  }
  out += '}';
}

void append_reply(std::string& out, const std::vector<Found>& found, const Query& query) {
  if (query.parameters.top_k == 1) {
    if (found.empty()) {
      out += '{';
      append_answer_fields(out, Answer{});
      out += '}';
    } else {
      append_found(out, found[0], query);
    }
    return;
  }
  out += query.bare_answers ? "[" : "{\"answers\":[";
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) out += ',';
    append_found(out, found[i], query);
  }
  out += query.bare_answers ? "]" : "]}";
}

}  // namespace

struct PendingReply::Request {
  AskRequest ask;
  std::vector<std::vector<Pending>> pending;  // (queries)(documents)

  std::string reply_to(std::size_t query);
  void append(std::string& out, const ReplyShape& shape);
};

std::string PendingReply::Request::reply_to(std::size_t index) {
  const Query& query = ask.queries[index];
  AskStats& stats = ask.stats;
  std::vector<Result> results;
  for (Pending& one : pending[index]) {
    const Result& result = results.emplace_back(one.wait());
    stats.windows += result.windows_total;
    stats.tokens += result.tokens;
    stats.tokenize_ms = std::max(stats.tokenize_ms, result.tokenize_ms);
    stats.queue_ms = std::max(stats.queue_ms, result.queue_ms);
    stats.compute_ms = std::max(stats.compute_ms, result.compute_ms);
  }
  pending[index].clear();  // and with it the copies of the texts
  const std::vector<Found> found = merge(results, query.parameters);
  stats.answers += found.size();
  std::string out;
  append_reply(out, found, query);
  return out;
}

void PendingReply::Request::append(std::string& out, const ReplyShape& shape) {
  if (shape.kind == ReplyShape::Kind::kQuery) {
    out += reply_to(shape.query);
    return;
  }
  const bool predictions = shape.kind == ReplyShape::Kind::kPredictions;
  out += predictions ? "{\"predictions\":[" : "[";
  for (const ReplyShape& item : shape.items) {
    if (&item != shape.items.data()) out += ',';
    append(out, item);
  }
  out += predictions ? "]}" : "]";
}

PendingReply::PendingReply(std::unique_ptr<Request> request) : request_(std::move(request)) {}
PendingReply::PendingReply(PendingReply&&) noexcept = default;
PendingReply& PendingReply::operator=(PendingReply&&) noexcept = default;
PendingReply::~PendingReply() = default;

std::string PendingReply::wait() {
  std::string out;
  request_->append(out, request_->ask.shape);
  return out;
}

const AskStats& PendingReply::stats() const {
  return request_->ask.stats;
}

PendingReply submit(const json::value& value, const Answerer& answerer, const AskSettings& settings,
                    std::chrono::steady_clock::time_point deadline) {
  auto request = std::make_unique<PendingReply::Request>();
  request->ask = read_request(value, settings);
  for (const Query& query : request->ask.queries) {
    std::vector<Pending>& pending = request->pending.emplace_back();
    for (std::size_t d = 0; d < query.documents->size(); ++d) {
      Question question{.question = query.question,
                        .context = (*query.documents)[d].text,
                        .parameters = query.parameters,
                        .deadline = deadline};
      try {
        pending.push_back(answerer.submit(std::move(question)));
      } catch (const Error& error) {
        throw RequestError(error.code(), http_status(error.code()),
                           query.place_of(error.what(), d, value), error.what());
      }
    }
  }
  return PendingReply(std::move(request));
}

json::value parse_body(std::string_view body, std::size_t max_bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw RequestError(ErrorCode::kInvalidInput, 400, "",
                       "body: is empty, expected JSON such as {\"question\":...,\"context\":...}");
  }
  JsonLimits limits;
  limits.max_bytes = max_bytes;
  limits.max_depth = kMaxDepth;
  try {
    return parse_json(body, "body", ErrorCode::kInvalidInput, limits);
  } catch (const Error& error) {
    throw RequestError(error.code(), error.code() == ErrorCode::kLimitExceeded ? 413 : 400, "",
                       error.what());
  }
}

}  // namespace lambert
