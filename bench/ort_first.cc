// ONNX Runtime's first result, without Python:
//   bench_ort_first LIBONNXRUNTIME.so MODEL.onnx THREADS TOKENS
// Loads the shared library (the one in the Python package, onnxruntime/capi/), makes a session of
// the model with all of the graph's optimisations and THREADS threads, runs it once over one window
// of TOKENS tokens and prints one line of JSON: the ms that loading the library, making the session
// and the run took, and the first start and end logit. The model has the inputs and outputs that
// export_onnx.py gives it. This program is dynamic, because a static one cannot load libraries.
#include <dlfcn.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// The part of ONNX Runtime's C API that is needed, declared here because Debian has no header of
// it: include/onnxruntime/core/session/onnxruntime_c_api.h of github.com/microsoft/onnxruntime.
// OrtApi is a table of pointers to functions that only ever grows at its end; these are places in
// its version 1, which ends with ReleaseCustomOpDomain in place 101 (as static_asserts of
// onnxruntime/core/session/onnxruntime_c_api.cc say).
constexpr std::uint32_t kApiVersion = 16;
constexpr std::size_t kGetErrorMessage = 2, kCreateEnv = 3, kCreateSession = 7, kRun = 9,
                      kCreateSessionOptions = 10, kSetSessionGraphOptimizationLevel = 23,
                      kSetIntraOpNumThreads = 24, kCreateTensorWithDataAsOrtValue = 49,
                      kGetTensorMutableData = 51, kCreateCpuMemoryInfo = 69, kReleaseEnv = 92,
                      kReleaseMemoryInfo = 94, kReleaseSession = 95, kReleaseValue = 96,
                      kReleaseSessionOptions = 100;

constexpr int kLogWarnings = 2;        // ORT_LOGGING_LEVEL_WARNING
constexpr int kAllOptimisations = 99;  // ORT_ENABLE_ALL
constexpr int kInt64 = 7;              // ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
constexpr int kArenaAllocator = 1;     // OrtArenaAllocator
constexpr int kDefaultMemory = 0;      // OrtMemTypeDefault

using Function = void (*)();
struct OrtApiBase {
  const Function* (*get_api)(std::uint32_t version);
  const char* (*version_string)();
};
struct OrtEnv;
struct OrtMemoryInfo;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;  // null means success
struct OrtValue;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

class Api {
 public:
  explicit Api(const char* library) {
    void* const handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(::dlerror());
    const auto get_base =
        reinterpret_cast<const OrtApiBase* (*)()>(::dlsym(handle, "OrtGetApiBase"));
    if (get_base == nullptr) throw std::runtime_error(::dlerror());
    const OrtApiBase* const base = get_base();
    version_ = base->version_string();
    table_ = base->get_api(kApiVersion);
    if (table_ == nullptr) {
      throw std::runtime_error("ONNX Runtime " + version_ + " has no API of version " +
                               std::to_string(kApiVersion));
    }
  }

  const std::string& version() const { return version_; }

  // Calls one that returns a status, with arguments of exactly the types in the header.
  template <typename... Arguments>
  void call(std::size_t place, Arguments... arguments) const {
    const auto function = reinterpret_cast<OrtStatus* (*)(Arguments...)>(table_[place]);
    const OrtStatus* const status = function(arguments...);
    if (status == nullptr) return;
    const auto message =
        reinterpret_cast<const char* (*)(const OrtStatus*)>(table_[kGetErrorMessage]);
    throw std::runtime_error(message(status));
  }

  template <typename T>
  void release(std::size_t place, T* object) const {
    reinterpret_cast<void (*)(T*)>(table_[place])(object);
  }

 private:
  std::string version_;
  const Function* table_ = nullptr;
};

struct Session {
  OrtEnv* env = nullptr;
  OrtSessionOptions* options = nullptr;
  OrtSession* session = nullptr;
};

Session make_session(const Api& api, const char* model, int threads) {
  Session made;
  api.call(kCreateEnv, kLogWarnings, "bench_ort_first", &made.env);
  api.call(kCreateSessionOptions, &made.options);
  api.call(kSetIntraOpNumThreads, made.options, threads);
  api.call(kSetSessionGraphOptimizationLevel, made.options, kAllOptimisations);
  api.call(kCreateSession, static_cast<const OrtEnv*>(made.env), model,
           static_cast<const OrtSessionOptions*>(made.options), &made.session);
  return made;
}

// A tensor of shape (1, tokens) over `values`, which stay the caller's.
OrtValue* tensor(const Api& api, const OrtMemoryInfo* memory, std::vector<std::int64_t>& values) {
  const std::array<std::int64_t, 2> shape = {1, static_cast<std::int64_t>(values.size())};
  OrtValue* value = nullptr;
  api.call(kCreateTensorWithDataAsOrtValue, memory, static_cast<void*>(values.data()),
           values.size() * sizeof(std::int64_t), shape.data(), shape.size(), kInt64, &value);
  return value;
}

float first_number(const Api& api, OrtValue* value) {
  void* data = nullptr;
  api.call(kGetTensorMutableData, value, &data);
  return *static_cast<const float*>(data);
}

// The first start logit and the first end logit.
std::array<float, 2> run_once(const Api& api, OrtSession* session, std::size_t tokens) {
  std::vector<std::int64_t> ids(tokens), mask(tokens, 1);
  for (std::size_t i = 0; i < tokens; ++i) {
    ids[i] = i == 0 ? 101 : 1000 + static_cast<std::int64_t>(i * 7919 % 28000);  // [CLS], words
  }
  OrtMemoryInfo* memory = nullptr;
  api.call(kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, &memory);
  const std::array<const char*, 2> inputs = {"input_ids", "attention_mask"};
  const std::array<const char*, 2> outputs = {"start", "end"};
  const std::array<OrtValue*, 2> given = {tensor(api, memory, ids), tensor(api, memory, mask)};
  std::array<OrtValue*, 2> found = {};
  api.call(kRun, session, static_cast<const void*>(nullptr), inputs.data(),
           static_cast<const OrtValue* const*>(given.data()), given.size(), outputs.data(),
           outputs.size(), found.data());
  const std::array<float, 2> logits = {first_number(api, found[0]), first_number(api, found[1])};
  for (OrtValue* value : given) api.release(kReleaseValue, value);
  for (OrtValue* value : found) api.release(kReleaseValue, value);
  api.release(kReleaseMemoryInfo, memory);
  return logits;
}

void run(const char* library, const char* model, int threads, int tokens) {
  const auto begin = Clock::now();
  const Api api(library);
  const double library_ms = ms_since(begin);
  const Session made = make_session(api, model, threads);
  const double created_ms = ms_since(begin);
  const auto logits = run_once(api, made.session, static_cast<std::size_t>(tokens));
  const double ran_ms = ms_since(begin);
  std::printf(
      "{\"version\": \"%s\", \"library_ms\": %.3f, \"create_ms\": %.3f, \"run_ms\": %.3f, "
      "\"start\": %.6f, \"end\": %.6f}\n",
      api.version().c_str(), library_ms, created_ms - library_ms, ran_ms - created_ms,
      static_cast<double>(logits[0]), static_cast<double>(logits[1]));
  std::fflush(stdout);
  api.release(kReleaseSession, made.session);
  api.release(kReleaseSessionOptions, made.options);
  api.release(kReleaseEnv, made.env);
}

int number(const char* name, std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most) {
    throw std::invalid_argument(std::string(name) + " is '" + std::string(text) +
                                "', expected 1 to " + std::to_string(most));
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_ort_first LIBONNXRUNTIME.so MODEL.onnx THREADS TOKENS\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], number("THREADS", argv[3], 1024), number("TOKENS", argv[4], 512));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ort_first: %s\n", error.what());
    return 1;
  }
  return 0;
}
