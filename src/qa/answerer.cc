// Implements the public interface of lambert.h.
#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/error.h"
#include "lambert/lambert.h"
#include "net/digest.h"
#include "qa/model_tokens.h"
#include "qa/offsets.h"
#include "qa/packed_model.h"
#include "qa/scheduler.h"

namespace lambert {

namespace {

const Kernels& choose_kernels(const Options& options) {
  const char* environment = std::getenv("LAMBERT_ISA");
  const std::string forced =
      !options.isa.empty() || environment == nullptr ? options.isa : environment;
  if (const Kernels* kernels = find_kernels(forced)) return *kernels;
  std::string names;
  for (const Kernels* table : all_kernels()) {
    if (table->supported()) names += (names.empty() ? "" : ", ") + std::string(table->name);
  }
  fail(ErrorCode::kInvalidArgument, "instruction set (LAMBERT_ISA) ", quote(forced),
       ": not one that this CPU can run; expected one of ", names);
}

unsigned choose_threads(unsigned wanted) {
  constexpr unsigned kMost = 256;
  if (wanted > kMost) {
    fail(ErrorCode::kInvalidArgument, "threads ", wanted, ": expected at most ", kMost);
  }
  return wanted == 0 ? std::min(default_threads(), kMost) : wanted;
}

// An error says which of the two texts it is about.
Encoding encode(const Tokenizer& tokenizer, std::string_view text, const char* name) {
  try {
    return tokenizer.encode(text);
  } catch (const Error& error) {
    fail(error.code(), name, ": ", error.what());
  }
}

// Keeps all logits of the windows instead of decoding them.
class LogitsKeeper : public Decoder {
 public:
  void add(const Window& window, std::span<const float> start,
           std::span<const float> end) override {
    windows.push_back({{start.begin(), start.end()},
                       {end.begin(), end.end()},
                       window.context_begin,
                       window.context_begin + window.context_tokens});
  }
  Result result() const override { return {}; }

  std::vector<WindowLogits> windows;
};

}  // namespace

struct Answerer::Impl {
  explicit Impl(const Options& given)
      : options(given),
        kernels(choose_kernels(given)),
        pool(choose_threads(given.threads)),
        model(load_model(given, kernels, pool)),
        scheduler(model, kernels, pool) {
    check_template(model, given.model);
  }

  ResolvedParameters resolved(const Parameters& parameters) const {
    return resolve(parameters, model.tokenizer->model_max_length(), model.max_window);
  }
  std::shared_ptr<Job> make_job(Question question) const;

  Options options;
  const Kernels& kernels;
  ThreadPool pool;
  mutable LoadedModel model;  // not changed; its weights are listed by pointers
  mutable Scheduler scheduler;
};

// Everything that does not need the model's computation; throws for a question that cannot be
// asked.
std::shared_ptr<Job> Answerer::Impl::make_job(Question question) const {
  auto job = std::make_shared<Job>();
  job->created = SteadyClock::now();
  if (question.question.empty()) fail(ErrorCode::kInvalidInput, "question: is empty");
  if (question.context.empty()) fail(ErrorCode::kInvalidInput, "context: is empty");
  const Tokenizer& tokenizer = *model.tokenizer;
  job->parameters = resolved(question.parameters);
  job->question = encode(tokenizer, question.question, "question");
  job->context_text = std::move(question.context);
  job->context = encode(tokenizer, job->context_text, "context");
  check_ids(model, job->question);
  check_ids(model, job->context);
  job->plan = plan_windows(job->question.size(), job->context.size(), special_tokens(tokenizer),
                           job->parameters);
  if (job->plan.tokens(0) == 0) {  // a template without special tokens around two blank texts
    fail(ErrorCode::kInvalidInput, "question and context: neither has a token for this model");
  }
  job->priority = question.priority;
  job->deadline = question.deadline;
  job->cancelled = std::move(question.cancelled);
  job->tokenize_ms =
      std::chrono::duration<double, std::milli>(SteadyClock::now() - job->created).count();
  return job;
}

struct Pending::State {
  Scheduler* scheduler;
  std::shared_ptr<Job> job;

  Result result() const {
    Result result = scheduler->result(*job);
    convert_offsets(job->context_text, job->parameters.offset_type, result.answers);
    return result;
  }
};

Pending::Pending(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pending::Pending(Pending&&) noexcept = default;
Pending& Pending::operator=(Pending&& other) noexcept {
  if (this != &other) {
    if (state_) cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}
Pending::~Pending() {
  if (state_) cancel();
}

Result Pending::wait() {
  state_->scheduler->wait(state_->job);
  return state_->result();
}
bool Pending::done() const {
  return state_->scheduler->finished(*state_->job);
}
Result Pending::partial() const {
  return state_->result();
}
void Pending::cancel() {
  state_->scheduler->cancel(state_->job);
}

Answerer::Answerer(const Options& options) try : impl_(std::make_unique<Impl>(options)) {
} catch (const std::bad_alloc&) {
  fail(ErrorCode::kLimitExceeded, options.model, ": not enough memory to load the model");
}
Answerer::~Answerer() = default;
Answerer::Answerer(Answerer&&) noexcept = default;

void Answerer::check(const Parameters& parameters) const {
  static_cast<void>(impl_->resolved(parameters));
}

Result Answerer::ask(Question question) const {
  return submit(std::move(question)).wait();
}

Pending Answerer::submit(Question question) const {
  auto job = impl_->make_job(std::move(question));
  job->decoder = make_decoder(job->parameters, job->context_text, job->context);
  impl_->scheduler.submit(job);
  return Pending(
      std::make_unique<Pending::State>(Pending::State{&impl_->scheduler, std::move(job)}));
}

std::vector<WindowLogits> Answerer::logits(const Question& question) const {
  auto job = impl_->make_job(question);
  auto keeper = std::make_unique<LogitsKeeper>();
  LogitsKeeper& kept = *keeper;
  job->decoder = std::move(keeper);
  job->read_all_rows = true;
  impl_->scheduler.submit(job);
  impl_->scheduler.wait(job);
  return std::move(kept.windows);
}

TokenizedPair Answerer::tokenize(std::string_view question, std::string_view context) const {
  const Tokenizer& tokenizer = *impl_->model.tokenizer;
  const Encoding texts[] = {encode(tokenizer, question, "question"),
                            encode(tokenizer, context, "context")};
  TokenizedPair pair;
  const auto add = [&](std::int32_t id, std::int32_t type, std::size_t start, std::size_t end,
                       std::optional<std::uint32_t> word) {
    pair.ids.push_back(id);
    pair.type_ids.push_back(type);
    pair.tokens.emplace_back(tokenizer.token(id));
    pair.start.push_back(start);
    pair.end.push_back(end);
    pair.word_id.push_back(word);
  };
  for (const TemplatePiece& piece : tokenizer.pair_template()) {
    if (piece.kind == TemplatePiece::Kind::kSpecial) {
      add(piece.id, piece.type_id, 0, 0, std::nullopt);
      continue;
    }
    const Encoding& text = texts[piece.kind == TemplatePiece::Kind::kContext ? 1 : 0];
    for (std::size_t i = 0; i < text.size(); ++i) {
      add(text.ids[i], piece.type_id, text.start[i], text.end[i], text.word[i]);
    }
  }
  return pair;
}

void Answerer::pack(const std::string& path,
                    const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
  write_packed_model(impl_->model, path, progress);
}

std::string Answerer::identity() const {
  return hex(model_identity(impl_->model));
}

ModelInfo Answerer::info() const {
  const EncoderConfig& config = impl_->model.config;
  ModelInfo info;
  info.path = impl_->options.model;
  info.model_type = family_name(config.family);
  info.isa = impl_->kernels.name;
  info.precision = precision_name(impl_->model.weights.precision);
  info.parameters = impl_->model.parameters;
  info.layers = config.num_layers;
  info.hidden_size = config.hidden_size;
  info.heads = config.num_heads;
  info.vocab_size = config.vocab_size;
  info.max_seq_len = impl_->model.max_window;
  const Precision precision = impl_->model.weights.precision;
  info.own_bytes = activation_bytes(config, precision, info.max_seq_len, impl_->pool.threads()) +
                   (impl_->model.identity.empty() ? packed_bytes(config, precision) : 0);
  info.threads = impl_->pool.threads();
  info.load_ms = impl_->model.load_ms;
  return info;
}

}  // namespace lambert
