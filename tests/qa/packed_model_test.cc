// A packed model answers as the one that it was made of, and is refused where it is damaged.
#include "qa/packed_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "../checkpoint/bundle_file.h"
#include "../code_of.h"
#include "../store/fake_s3.h"
#include "lambert/lambert.h"
#include "qa/fetched_model.h"
#include "test_files.h"

namespace lambert {
namespace {

namespace fs = std::filesystem;

const std::string kTiny = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/";
constexpr const char* kModels[] = {"bert_swish_bf16", "bert_tanh_f16",
                                   "distilbert_silu_f16_sharded",
                                   "bert_gelu_fast_head20_three_layers"};

Question question() {
  return {.question = "Who wrote it?", .context = "Ada wrote the notes in 1843 \xE2\x98\x83."};
}

bool same_logits(const Answerer& a, const Answerer& b) {
  const auto x = a.logits(question()), y = b.logits(question());
  if (x.size() != y.size()) return false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i].start != y[i].start || x[i].end != y[i].end) return false;
  }
  return true;
}

class PackedModel : public testing::Test {
 protected:
  // A tiny model, packed.
  std::string pack(const std::string& name, const std::string& precision = "int8") const {
    std::string path = directory_ / (name + "." + precision + ".lambert");
    Answerer({.model = kTiny + name, .threads = 1, .precision = precision}).pack(path);
    return path;
  }
  // What opening these bytes as a file says.
  std::string refused(const std::string& bytes, ErrorCode code = ErrorCode::kInvalidModel) const {
    fs::remove(directory_ / "damaged.lambert");
    const std::string path = directory_.write("damaged.lambert", bytes);
    return error_of([&] { const Answerer unused({.model = path, .threads = 1}); }, code);
  }
  TestDirectory directory_;
};

TEST_F(PackedModel, AnswersAsTheModelItWasMadeOf) {
  for (const std::string name : kModels) {
    for (const std::string precision : {"fp32", "int8"}) {
      const Answerer loaded({.model = kTiny + name, .threads = 2, .precision = precision});
      const Answerer packed({.model = pack(name, precision), .threads = 1});
      EXPECT_TRUE(same_logits(loaded, packed)) << name << " " << precision;
      EXPECT_EQ(packed.info().precision, precision);
      EXPECT_EQ(packed.info().parameters, loaded.info().parameters);
      EXPECT_EQ(packed.info().max_seq_len, loaded.info().max_seq_len);
      EXPECT_EQ(packed.identity(), loaded.identity());
      EXPECT_EQ(packed.identity().size(), 64U);
    }
  }
}

TEST_F(PackedModel, HasTheSameBytesForAnyThreadsAndPackedAgain) {
  const std::string once = directory_ / "once", twice = directory_ / "twice";
  Answerer({.model = kTiny + kModels[0], .threads = 1, .precision = "int8"}).pack(once);
  Answerer({.model = kTiny + kModels[0], .threads = 3, .precision = "int8"}).pack(twice);
  EXPECT_TRUE(read_all(once) == read_all(twice));
  Answerer({.model = once}).pack(once);  // also in the place of what is open
  EXPECT_TRUE(read_all(once) == read_all(twice));
}

TEST_F(PackedModel, OtherModelsAndPrecisionsHaveOtherIdentities) {
  const auto identity = [&](const std::string& name, const std::string& precision) {
    return Answerer({.model = pack(name, precision)}).identity();
  };
  EXPECT_NE(identity(kModels[0], "int8"), identity(kModels[0], "fp32"));
  EXPECT_NE(identity(kModels[0], "int8"), identity(kModels[1], "int8"));
}

TEST_F(PackedModel, TakesThePlaceOfAModelWhereverOneIsNamed) {
  const std::string path = pack(kModels[0]);
  const Answerer packed({.model = path});
  fs::create_directory(directory_ / "model");
  fs::copy(path, directory_ / "model/model.lambert");
  EXPECT_TRUE(same_logits(packed, Answerer({.model = directory_ / "model"})));
  EXPECT_TRUE(same_logits(packed, Answerer({.model = "file://" + path})));
  fs::copy(kTiny + kModels[1] + "/config.json", directory_ / "model/config.json");
  EXPECT_TRUE(same_logits(packed, Answerer({.model = directory_ / "model"})));
}

TEST_F(PackedModel, ComesFromElsewhereUnderAnyName) {
  const std::string path = pack(kModels[0]);
  const FakeS3 s3(read_all(path));
  FileSet files = fetch_model(parse_uri("s3://bucket/models/squad.v2", "the model"),
                              {.environment = environment_of(s3.variables())}, 1 << 20);
  ASSERT_TRUE(files.contains("model.lambert"));
  const LoadedModel model = open_packed_model(files.open("model.lambert").file);
  EXPECT_EQ(model.identity, packed_info(MappedFile(path)).identity);
}

TEST_F(PackedModel, AnotherPrecisionThanItWasPackedInIsAnError) {
  const std::string path = pack(kModels[0], "int8");
  EXPECT_NO_THROW(Answerer({.model = path, .precision = "int8"}));
  const std::string message = error_of([&] { Answerer({.model = path, .precision = "fp32"}); },
                                       ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("was packed as int8, but precision fp32 is asked for"), std::string::npos)
      << message;
}

TEST_F(PackedModel, WhatIsCutDamagedOrForeignIsRefused) {
  const std::string whole = read_all(pack(kModels[0]));
  EXPECT_NE(refused(whole.substr(0, whole.size() - 1)).find("is cut off"), std::string::npos);
  EXPECT_NE(refused(whole + '\0').find("appended"), std::string::npos);
  std::string header = whole;
  header[100] = static_cast<char>(header[100] ^ 1);
  EXPECT_NE(refused(header).find("the header is damaged"), std::string::npos);
  EXPECT_NE(refused(whole.substr(0, 40)).find("is cut off"), std::string::npos);
}

// Writes the sections of a packed model anew, some changed, so that all checksums are right.
std::string rewritten(const std::string& whole,
                      const std::function<void(const std::string&, std::string&)>& edit) {
  const Bundle bundle(as_file(whole), "whole");
  std::string out;
  BundleWriter writer(&out, bundle.sections().size());
  for (const Bundle::Section& section : bundle.sections()) {
    std::string bytes = as_text(section.bytes);
    edit(section_name(section.kind, section.index).substr(8), bytes);
    writer.add(section.kind, section.index, as_file(bytes));
  }
  writer.finish();
  return out;
}

std::vector<Question> calibration_questions() {
  std::vector<Question> questions;
  for (const char* const name : {"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald"}) {
    questions.push_back({.question = std::string(name) + "?",
                         .context = std::string(name) + " wrote the notes, and the program."});
  }
  return questions;
}

// Sum of squares of what the logits of `options` are off those of fp32.
double error_of_logits(Options options, const std::vector<Question>& questions) {
  const Answerer rounded(options);
  options.precision = "fp32";
  options.calibration.clear();
  const Answerer exact(options);
  double error = 0;
  for (const Question& asked : questions) {
    const auto x = exact.logits(asked), y = rounded.logits(asked);
    for (std::size_t i = 0; i < x.at(0).start.size(); ++i) {
      error += std::pow(double{x[0].start[i]} - double{y.at(0).start[i]}, 2);
      error += std::pow(double{x[0].end[i]} - double{y[0].end[i]}, 2);
    }
  }
  return error;
}

TEST_F(PackedModel, CalibratedIsNearerToFp32) {
  double plain = 0, calibrated = 0;
  for (const std::string name : kModels) {
    Options options{.model = kTiny + name, .threads = 1, .precision = "int8"};
    plain += error_of_logits(options, calibration_questions());
    options.calibration = calibration_questions();
    calibrated += error_of_logits(options, calibration_questions());
  }
  EXPECT_GT(calibrated, 0);
  EXPECT_LT(calibrated, 0.5 * plain);
}

TEST_F(PackedModel, CalibratedIsTheSameOnEveryMachine) {
  for (const std::string name : kModels) {
    Options options{.model = kTiny + name, .threads = 1, .precision = "int8"};
    options.calibration = calibration_questions();
    const std::string path = directory_ / (name + ".lambert"), other = path + ".other";
    Answerer(options).pack(path);
    EXPECT_NO_THROW(verify_packed_model(MappedFile(path))) << name;
    options.threads = 3;
    options.isa = "scalar";
    Answerer(options).pack(other);
    EXPECT_TRUE(read_all(path) == read_all(other)) << name;
    EXPECT_FALSE(read_all(path) == read_all(pack(name))) << name;
  }
}

TEST_F(PackedModel, CalibrationIsForCheckpointsInInt8) {
  const auto refusal = [&](const std::string& model, const std::string& precision) {
    Options options{.model = model, .threads = 1, .precision = precision};
    options.calibration = calibration_questions();
    return error_of([&] { const Answerer unused(options); }, ErrorCode::kInvalidArgument);
  };
  EXPECT_NE(refusal(kTiny + kModels[0], "auto").find("found fp32"), std::string::npos);
  EXPECT_NE(refusal(pack(kModels[0]), "int8").find("packed already"), std::string::npos);
}

TEST_F(PackedModel, CalibrationRefusesIdsOutsideTheTables) {
  const std::string model = directory_ / "model";
  fs::copy(kTiny + kModels[1], model);
  std::string tokenizer = read_all(model + "/tokenizer.json");
  const std::string first = R"("added_tokens":[)";
  const std::size_t at = tokenizer.find(first);
  ASSERT_NE(at, std::string::npos);
  tokenizer.insert(at + first.size(), R"({"id":119,"content":"the notes","single_word":false,)"
                                      R"("lstrip":false,"rstrip":false,"normalized":false,)"
                                      R"("special":false},)");
  directory_.write("model/tokenizer.json", tokenizer);
  Options options{.model = model, .threads = 1, .precision = "int8"};
  EXPECT_NO_THROW(Answerer{options});
  options.calibration = calibration_questions();
  const std::string message =
      error_of([&] { const Answerer unused(options); }, ErrorCode::kInvalidModel);
  EXPECT_NE(message.find("token \"the notes\" the id "), std::string::npos) << message;
}

TEST_F(PackedModel, OtherLayoutsAndBrokenConfigurationsAreRefusedByName) {
  const std::string whole = read_all(pack(kModels[0]));
  const auto with_number = [&](std::size_t at, std::uint32_t value) {
    return rewritten(whole, [&](const std::string& name, std::string& bytes) {
      if (name == "modl 0") put_at(bytes, at, value, 4);
    });
  };
  EXPECT_NE(refused(with_number(0, 3), ErrorCode::kUnsupportedModel).find("layout 3"),
            std::string::npos);
  EXPECT_NE(refused(with_number(4, 32), ErrorCode::kUnsupportedModel).find("panels of 32"),
            std::string::npos);
  EXPECT_NE(refused(with_number(12, 2)).find("precision 2"), std::string::npos);
  EXPECT_NE(refused(with_number(16, 1)).find("embeddings of type 1"), std::string::npos);
  EXPECT_NE(refused(with_number(28, 2)).find("family is 2"), std::string::npos);
  EXPECT_NE(refused(with_number(32, 0)).find("vocab_size is 0"), std::string::npos);
  EXPECT_NE(refused(with_number(40, 3)).find("section "), std::string::npos);  // layers
}

TEST_F(PackedModel, EveryNumberOfItsSmallSectionsMayBeWrong) {
  const std::string whole = read_all(pack(kModels[1], "fp32"));
  std::size_t answered = 0, refusals = 0;
  for (const std::string section : {"modl 0", "info 0", "iden 0"}) {
    for (std::size_t at = 0; at < 80; at += 2) {
      const std::string damaged =
          rewritten(whole, [&](const std::string& name, std::string& bytes) {
            if (name == section && at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ 3);
          });
      fs::remove(directory_ / "damaged.lambert");
      try {
        const Answerer answerer(
            {.model = directory_.write("damaged.lambert", damaged), .threads = 1});
        answerer.ask(question());
        ++answered;
      } catch (const Error& error) {
        ++refusals;
        EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
      }
    }
  }
  EXPECT_GT(answered, 20U);
  EXPECT_GT(refusals, 10U);
}

TEST_F(PackedModel, VerifyFindsWhatOpeningDoesNotLookAt) {
  const std::string path = pack(kModels[0]), whole = read_all(path);
  EXPECT_NO_THROW(verify_packed_model(MappedFile(path)));
  const auto verify = [&](const std::string& bytes) {
    fs::remove(directory_ / "damaged.lambert");
    const std::string damaged = directory_.write("damaged.lambert", bytes);
    EXPECT_NO_THROW(Answerer({.model = damaged, .threads = 1}));
    return error_of([&] { verify_packed_model(MappedFile(damaged)); }, ErrorCode::kInvalidModel);
  };
  std::string bit = whole;
  bit[bit.size() - 3] = static_cast<char>(bit[bit.size() - 3] ^ 4);
  EXPECT_NE(verify(bit).find("section qao"), std::string::npos);
  const std::string other = rewritten(whole, [](const std::string& name, std::string& bytes) {
    if (name == "wrdw 0") bytes[7] = static_cast<char>(bytes[7] ^ 1);
  });
  EXPECT_NE(verify(other).find("identity"), std::string::npos);
}

TEST_F(PackedModel, SaysWhatItIs) {
  const PackedInfo info = packed_info(MappedFile(pack(kModels[0])));
  EXPECT_EQ(info.engine, LAMBERT_VERSION);
  EXPECT_EQ(info.source, kModels[0]);
  EXPECT_EQ(info.identity.size(), 32U);
  EXPECT_EQ(info.config.family, Family::kBert);
}

class BundleCache : public PackedModel {
 protected:
  BundleCache() {
    fs::create_directory(directory_ / "cache");
    fs::copy(kTiny + kModels[0], directory_ / "model");
  }
  Answerer open(const std::string& precision = "int8") const {
    return Answerer({.model = directory_ / "model",
                     .threads = 1,
                     .precision = precision,
                     .bundle_cache = directory_ / "cache"});
  }
  std::vector<std::string> kept() const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(directory_ / "cache")) {
      paths.push_back(entry.path().string());
    }
    return paths;
  }
};

TEST_F(BundleCache, KeepsAModelOnceForEachPrecision) {
  const Answerer loaded({.model = directory_ / "model", .threads = 1, .precision = "int8"});
  EXPECT_TRUE(same_logits(open(), loaded));
  ASSERT_EQ(kept().size(), 1U);
  const auto made = fs::last_write_time(kept()[0]);
  EXPECT_TRUE(same_logits(open(), loaded));
  EXPECT_EQ(kept().size(), 1U);
  EXPECT_EQ(fs::last_write_time(kept()[0]), made);
  EXPECT_EQ(open("auto").info().precision, "fp32");
  EXPECT_EQ(kept().size(), 2U);
}

TEST_F(BundleCache, IsMadeAnewForOtherFilesAndWhereItIsDamaged) {
  open();
  const std::string first = kept().at(0);
  fs::resize_file(first, fs::file_size(first) / 2);
  EXPECT_EQ(open().info().precision, "int8");
  EXPECT_NO_THROW(verify_packed_model(MappedFile(first)));
  for (const auto& entry : fs::directory_iterator(directory_ / "model")) {
    if (entry.path().extension() != ".safetensors") continue;
    fs::last_write_time(entry, fs::last_write_time(entry) - std::chrono::seconds(5));
  }
  open();
  EXPECT_EQ(kept().size(), 2U);
}

TEST_F(BundleCache, SaysWhatIsWrongWithItsDirectory) {
  const std::string message = error_of(
      [&] {
        Answerer(
            {.model = directory_ / "model", .threads = 1, .bundle_cache = directory_ / "nowhere"});
      },
      ErrorCode::kIo);
  EXPECT_NE(message.find("nowhere"), std::string::npos) << message;
}

TEST_F(BundleCache, AnotherProcessThatKeepsItDoesNotHoldThisOneUp) {
  open();
  const std::string path = kept().at(0);
  fs::remove(path);
  BundleWriter other(path, 1);
  EXPECT_EQ(open().info().precision, "int8");
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace lambert
