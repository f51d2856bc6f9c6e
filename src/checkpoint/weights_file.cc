#include "checkpoint/weights_file.h"

#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_file.h"

namespace lambert {

using namespace std::string_view_literals;

namespace {

// Another format, recognised by its first bytes.
struct Magic {
  std::string_view bytes;
  std::size_t at;
  std::string_view format, advice;
};

constexpr std::string_view kArchiveAdvice = "pass the archive itself as the model, or unpack it";
constexpr std::string_view kOriginalAdvice =
    "get model.safetensors or pytorch_model.bin of the model that it was made from";
constexpr Magic kMagics[] = {
    {"\x1F\x8B"sv, 0, "gzip", kArchiveAdvice},
    {"ustar"sv, 257, "a tar archive", kArchiveAdvice},
    {"\x89HDF"sv, 0, "HDF5, as TensorFlow writes",
     "convert it once with Python (transformers 4, with TensorFlow): from transformers import "
     "AutoModelForQuestionAnswering as M; M.from_pretrained(DIR, "
     "from_tf=True).save_pretrained(DIR)"},
    {"GGUF"sv, 0, "GGUF", kOriginalAdvice},
};

// After its length the header of a safetensors file begins with '{'.
bool is_safetensors(std::string_view text) {
  return text.size() > 8 && text[8] == '{';
}

void refuse_other_format(std::string_view text, std::string_view source) {
  for (const Magic& magic : kMagics) {
    if (text.size() < magic.at || !text.substr(magic.at).starts_with(magic.bytes)) continue;
    fail(ErrorCode::kUnsupportedModel, source, ": is neither safetensors nor PyTorch but ",
         magic.format, "; ", magic.advice);
  }
}

}  // namespace

void read_weights_file(std::span<const std::byte> file, std::string_view source,
                       const TensorSink& sink) {
  if (is_torch_file(file)) return read_torch_file(file, source, sink);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!is_safetensors(text)) refuse_other_format(text, source);
  read_safetensors(file, source, sink);
}

}  // namespace lambert
