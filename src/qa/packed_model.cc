#include "qa/packed_model.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/flat.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/bundle.h"
#include "checkpoint/bundle_writer.h"
#include "model/weight_sections.h"
#include "net/digest.h"

namespace lambert {

namespace {

constexpr std::uint32_t kInfoKind = section_kind("info");
constexpr std::uint32_t kModelKind = section_kind("modl");
constexpr std::uint32_t kTokenizerKind = section_kind("tokn");
constexpr std::uint32_t kIdentityKind = section_kind("iden");
constexpr std::size_t kIdentityBytes = 32;
// How matrices, embeddings and tokenizer tables are packed; another one cannot be read.
constexpr std::uint32_t kPackedLayout = 2;

std::span<const std::byte> bytes_of_text(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string pack_model_section(const LoadedModel& model) {
  FlatWriter packed;
  packed.u32(kPackedLayout);
  packed.u32(kPanel);
  packed.u32(kDepthS8);
  packed.u32(static_cast<std::uint32_t>(model.weights.precision));
  packed.u32(static_cast<std::uint32_t>(model.weights.word.dtype));
  packed.u64(model.parameters);
  write_config(model.config, packed);
  return packed.take();
}

void read_model_section(FlatReader packed, std::string_view source, LoadedModel& model) {
  const std::uint32_t layout = packed.u32(), panel = packed.u32(), depth = packed.u32();
  if (layout != kPackedLayout || panel != kPanel || depth != kDepthS8) {
    fail(ErrorCode::kUnsupportedModel, source, ": is packed in layout ", layout, " (panels of ",
         panel, ", depth ", depth, "), this Lambert reads layout ", kPackedLayout, " (", kPanel,
         ", ", kDepthS8, "); pack the model anew");
  }
  const std::uint32_t precision = packed.u32(), dtype = packed.u32();
  model.weights.precision = precision == 1 ? Precision::kInt8 : Precision::kFp32;
  model.weights.word.dtype = static_cast<DType>(dtype);
  const bool int8 = model.weights.precision == Precision::kInt8;
  const bool known =
      int8 ? dtype == static_cast<std::uint32_t>(DType::kI8) : is_weight(static_cast<DType>(dtype));
  if (precision > 1 || !known) {
    packed.refuse("precision ", precision, " with embeddings of type ", dtype, " is not known");
  }
  model.parameters = static_cast<std::size_t>(packed.u64());
  model.config = read_config(packed);
}

std::string read_identity(const Bundle& bundle, std::string_view source) {
  const std::span<const std::byte> identity = bundle.get(kIdentityKind);
  if (identity.size() != kIdentityBytes) {
    fail(ErrorCode::kInvalidModel, source, ": its identity has ", identity.size(),
         " bytes, expected ", kIdentityBytes, "; pack the model anew");
  }
  return {reinterpret_cast<const char*>(identity.data()), identity.size()};
}

PackedInfo read_info(const Bundle& bundle, std::string_view source) {
  FlatReader packed(bundle.get(kInfoKind), source);
  PackedInfo info;
  info.engine = packed.text();
  info.source = packed.text();
  return info;
}

// What the identity is computed of.
struct ContentSection {
  std::uint32_t kind, index;
  std::span<const std::byte> bytes;
};

// `texts` keeps what is not in the model.
std::vector<ContentSection> content_sections(LoadedModel& model, std::vector<std::string>& texts) {
  texts = {pack_model_section(model), model.tokenizer->pack()};
  std::vector<ContentSection> sections{{kModelKind, 0, bytes_of_text(texts[0])},
                                       {kTokenizerKind, 0, bytes_of_text(texts[1])}};
  for (const WeightSection& section : weight_sections(model.config, model.weights)) {
    sections.push_back({section.kind, section.index, section.content()});
  }
  return sections;
}

std::string identity_of(std::vector<ContentSection> sections) {
  std::sort(sections.begin(), sections.end(), [](const auto& a, const auto& b) {
    return std::tie(a.kind, a.index) < std::tie(b.kind, b.index);
  });
  std::string bytes;
  for (const ContentSection& section : sections) {
    FlatWriter entry;
    entry.u32(section.kind);
    entry.u32(section.index);
    entry.u64(section.bytes.size());
    bytes += entry.take();
    bytes += bytes_of(
        sha256({reinterpret_cast<const char*>(section.bytes.data()), section.bytes.size()}));
  }
  return std::string(bytes_of(sha256(bytes)));
}

}  // namespace

LoadedModel open_packed_model(MappedFile file) {
  const Bundle bundle(file.bytes(), file.path());
  LoadedModel model;
  const std::string& source = file.path();
  read_model_section(FlatReader(bundle.get(kModelKind), source), source, model);
  model.max_window = std::min(model.config.max_positions, kMaxWindow);
  model.tokenizer = Tokenizer::open(bundle.get(kTokenizerKind), source);
  view_weights(bundle, model.config, source, model.weights);
  model.identity = read_identity(bundle, source);
  model.source = read_info(bundle, source).source;
  model.files.push_back({std::string(kBundleName), std::move(file)});
  return model;
}

PackedInfo packed_info(const MappedFile& file) {
  const Bundle bundle(file.bytes(), file.path());
  PackedInfo info = read_info(bundle, file.path());
  info.identity = read_identity(bundle, file.path());
  LoadedModel model;
  read_model_section(FlatReader(bundle.get(kModelKind), file.path()), file.path(), model);
  info.config = model.config;
  return info;
}

void verify_packed_model(MappedFile file) {
  const Bundle bundle(file.bytes(), file.path());
  bundle.verify();
  std::vector<ContentSection> sections;
  for (const Bundle::Section& section : bundle.sections()) {
    if (section.kind == kInfoKind || section.kind == kIdentityKind) continue;
    sections.push_back({section.kind, section.index, section.bytes});
  }
  LoadedModel model = open_packed_model(std::move(file));
  const std::string& source = model.files.front().file.path();
  if (identity_of(std::move(sections)) != model.identity) {
    fail(ErrorCode::kInvalidModel, source, ": its identity is not the SHA-256 of its sections; ",
         "pack the model anew");
  }
  verify_weights(model.config, source, model.weights);
}

void write_packed_model(LoadedModel& model, const std::string& path,
                        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::vector<std::string> texts;
  const std::vector<ContentSection> sections = content_sections(model, texts);
  std::uint64_t total = 0, done = 0;
  for (const ContentSection& section : sections) total += section.bytes.size();
  FlatWriter info;
  info.text(LAMBERT_VERSION);
  info.text(model.source);
  BundleWriter writer(path, sections.size() + 2);
  writer.add(kInfoKind, 0, bytes_of_text(info.take()));
  writer.add(kIdentityKind, 0, bytes_of_text(identity_of(sections)));
  for (const ContentSection& section : sections) {
    writer.add(section.kind, section.index, section.bytes);
    if (progress) progress(done += section.bytes.size(), total);
  }
  writer.finish();
}

std::string model_identity(LoadedModel& model) {
  if (!model.identity.empty()) return model.identity;
  std::vector<std::string> texts;
  return identity_of(content_sections(model, texts));
}

}  // namespace lambert
