// Lambert's public interface: extractive question answering, question + context -> answer.
//   lambert::Answerer answerer({.model = "models/distilbert-minilm-squad"});
//   lambert::Result result = answerer.ask({.question = "Who?", .context = "Ada wrote it."});
//   // result.answers[0].answer == "Ada"
// Std only, UTF-8, thread-safe throughout. Failures are lambert::Error; nothing prints or exits.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {
enum class ErrorCode {
  kInvalidArgument,   // a parameter outside its range, or two that do not go together
  kInvalidInput,      // question, context or a line of input that cannot be used
  kNotFound,          // a file or directory that is not there
  kIo,                // reading or writing failed
  kInvalidModel,      // model files that are damaged, contradictory or hostile
  kUnsupportedModel,  // a valid model that this version cannot run
  kLimitExceeded,     // input or model larger than a stated limit
  kDeadlineExceeded,  // the deadline of the question passed before it was answered
  kCancelled,         // Pending::cancel was called
  kInternal,          // a defect of Lambert; please report it
};
std::string_view error_code_name(ErrorCode code);  // as in JSON: "invalid_argument", ...

// The message names the field, file or limit, what was found, what was expected and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};
enum class Mode {  // how spans of tokens become answers (docs/modes.md)
  kHf,             // pipeline("question-answering") of transformers 5.2
  kSquad,          // the SQuAD scripts: n-best over all windows, null score difference
  kCalibrated,     // Haystack's reader: scores comparable across windows and documents
};
enum class OffsetType { kCodePoint, kUtf8, kUtf16 };  // the unit of Answer::start and Answer::end
// How to answer; lengths are tokens. Absent: the default. R: a window's room for context.
struct Parameters {
  Mode mode = Mode::kHf;
  std::int64_t top_k = 1;                      // answers returned at most, 1..1000
  std::optional<std::int64_t> max_seq_len;     // 1..ModelInfo::max_seq_len; at most 384 by default
  std::optional<std::int64_t> doc_stride;      // overlap, 0.. < R; min(max_seq_len / 2, 128)
  std::optional<std::int64_t> max_answer_len;  // >= 1; hf 15, squad 30, calibrated no limit
  std::int64_t max_question_len = 64;          // >= 1; mode hf ignores it, as the pipeline does
  bool handle_impossible_answer = false;       // "" may be an answer
  bool align_to_words = true;                  // mode hf: answers begin and end at word borders
  std::int64_t n_best_size = 20;               // mode squad; 1..1000
  double null_score_diff_threshold = 0.0;      // mode squad
  std::optional<double> score_threshold;       // answers with a lower score are left out
  OffsetType offset_type = OffsetType::kCodePoint;
};
struct Question {
  std::string question = {}, context = {};  // valid UTF-8, not empty; else kInvalidInput
  Parameters parameters = {};
  int priority = 0;  // higher first, then older; falls by 1 at its 16th, 32nd, 64th, ... window
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::function<bool()> cancelled = {};  // asked by any thread between windows; true: kCancelled
};
struct Answer {
  std::string answer;  // exactly context[start, end)
  double score = 0;    // a probability, except that mode hf adds them up: it may exceed 1
  std::size_t start = 0, end = 0;
};
struct Result {
  std::vector<Answer> answers;                                  // best first
  std::optional<double> no_answer_score;                        // where the mode has one
  std::size_t windows_done = 0, windows_total = 0, tokens = 0;  // tokens with the special ones
  std::size_t batch_windows = 0;  // most that were computed together, of any questions
  double tokenize_ms = 0, queue_ms = 0, compute_ms = 0, total_ms = 0;
};
// Tokens of question and context as one pair, special tokens included, not cut into windows.
struct TokenizedPair {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::string> tokens;
  std::vector<std::size_t> start, end;                // code points of the text the token is from
  std::vector<std::optional<std::uint32_t>> word_id;  // absent for special tokens
};
struct WindowLogits {
  std::vector<float> start, end;                   // (tokens)
  std::size_t context_start = 0, context_end = 0;  // the context's tokens within the window
};
struct ModelInfo {
  std::string path, model_type, isa, precision;
  std::size_t parameters = 0, layers = 0, hidden_size = 0, heads = 0, vocab_size = 0;
  std::size_t max_seq_len = 0, own_bytes = 0;  // longest window possible; memory that is not mapped
  unsigned threads = 0;
  double load_ms = 0;
};
struct Options {
  std::string model = {};             // a path or URI, see docs/models.md
  std::string config_dir = {};        // has config.json and the tokenizer, where the model has none
  std::uint64_t max_model_bytes = 0;  // kept of an archive or download; 0: the memory there is
  unsigned threads = 0;               // 1..256; 0: what affinity and the cgroup quota allow
  std::string aws_profile = {};       // for s3://; "": AWS_PROFILE and the environment's keys
  std::string precision = "auto";     // fp32, int8; auto: as a packed model is, else fp32
  std::vector<Question> calibration = {};  // int8: weights are rounded to fit these, in seconds
  std::string bundle_cache = {};           // directory where models are kept packed, "": nowhere
  std::string isa = {};  // scalar, avx2, ...; "": LAMBERT_ISA if set, else the fastest here
};
class Pending {  // a question on its way; destroying it cancels it. Must not outlive the Answerer.
 public:
  Pending(Pending&&) noexcept;
  Pending& operator=(Pending&&) noexcept;
  ~Pending();
  Result wait();           // helps to compute until answered; once. Throws as Answerer::ask
  bool done() const;       // wait() would return or throw at once
  Result partial() const;  // the answers of the windows finished so far
  void cancel();           // wait() throws kCancelled, unless it was done before

 private:
  friend class Answerer;
  struct State;
  explicit Pending(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};
class Answerer {  // a model, ready to answer
 public:
  // Throws kInvalidArgument, kNotFound, kIo, kInvalidModel, kUnsupportedModel, kLimitExceeded.
  explicit Answerer(const Options& options);
  ~Answerer();
  Answerer(Answerer&&) noexcept;
  void check(const Parameters& parameters) const;  // throws kInvalidArgument where ask always would
  // These throw kInvalidInput, kLimitExceeded; all but tokenize kInvalidArgument, kInvalidModel;
  // ask, logits and Pending::wait kDeadlineExceeded.
  Result ask(Question question) const;
  Pending submit(Question question) const;  // questions in flight are computed together
  TokenizedPair tokenize(std::string_view question, std::string_view context) const;
  std::vector<WindowLogits> logits(const Question& question) const;
  ModelInfo info() const;
  // Writes one file that opens at once (docs/models.md); progress(bytes done, all). Throws kIo.
  void pack(const std::string& path,
            const std::function<void(std::uint64_t, std::uint64_t)>& progress = {}) const;
  std::string identity() const;  // SHA-256 of all that decides an answer, packed or not

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
}  // namespace lambert
