#include "store/hub.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/mapped_file.h"
#include "fake_s3.h"

namespace lambert {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'c');
// SHA-256 of "weights", and Git's SHA-1 of "{}".
constexpr const char* kWeightsEtag =
    "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c";
constexpr const char* kConfigEtag = "9e26dfeeb6e641a33dae4961196235bdb965b21b";

bool is_wanted(std::string_view name) {
  return name != "README.md";
}

class HubTest : public testing::Test {
 protected:
  HubTest() {
    home_ = fs::path(testing::TempDir()) /
            ("lambert-hub-" + std::to_string(::getpid()) + "-" +
             testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(home_);
  }
  ~HubTest() override { fs::remove_all(home_); }

  // The Hub, and where it sends clients for large files.
  void answer(Peer& peer, const std::string& request) {
    const std::size_t begin = request.find(' ') + 1;
    const std::string target = request.substr(begin, request.find(' ', begin) - begin);
    ++requests_;
    if (!status_.empty()) return peer.send(reply(status_, more_headers_, ""));
    EXPECT_EQ(header_of(request, "Authorization"), token_.empty() ? "" : "Bearer " + token_);
    const std::string files = "/org/name/resolve/" + kCommit + "/";
    if (target == "/api/models/org/name/revision/main") {
      return peer.send(
          reply("200 OK", "",
                R"({"sha":")" + kCommit +
                    R"(","siblings":[{"rfilename":"README.md"},)"
                    R"({"rfilename":"config.json"},{"rfilename":"onnx/model.onnx"},)"
                    R"({"rfilename":"model.safetensors"},{"rfilename":"pytorch_model.bin"},)"
                    R"({"rfilename":".gitattributes"}]})"));
    }
    if (target == files + "model.safetensors") {
      return peer.send("HTTP/1.1 302 Found\r\nLocation: " + cdn_.endpoint() +
                       "/blob?sig=canary\r\nX-Linked-Etag: \"" + weights_etag_ +
                       "\"\r\nX-Linked-Size: 7\r\nX-Repo-Commit: " + kCommit +
                       "\r\nContent-Length: 0\r\n\r\n");
    }
    if (target == files + "config.json") {
      return peer.send(reply("307 Temporary Redirect", "Location: /cache/config.json\r\n", ""));
    }
    if (target == "/cache/config.json") {
      const std::string head = std::string("ETag: W/\"") + kConfigEtag + "\"\r\n";
      if (!request.starts_with("HEAD")) return peer.send(reply("200 OK", head, "{}"));
      return peer.send("HTTP/1.1 200 OK\r\n" + head + "Content-Length: 2\r\n\r\n");
    }
    ADD_FAILURE() << target;
    peer.send(reply("404 Not Found", "", ""));
  }

  std::string fetch(std::map<std::string, std::string> more = {}) {
    more.insert({{"HF_HOME", home_.string()}, {"HF_ENDPOINT", hub_.url().origin()}});
    return fetch_from_hub(parse_uri("hf://org/name", "m"), {environment_of(more), {&clock_}, {}},
                          is_wanted);
  }
  std::string refused(std::map<std::string, std::string> more = {}) {
    try {
      fetch(std::move(more));
    } catch (const Error& error) {
      EXPECT_EQ(std::string_view(error.what()).find("canary"), std::string_view::npos);
      return error.what();
    }
    return "no error";
  }
  static void expect_part(const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), message.npos) << message;
  }

  fs::path home_;
  const TestClock clock_;
  std::string status_, more_headers_, token_;
  std::string weights_etag_ = kWeightsEtag;
  std::atomic<int> requests_ = 0;
  FakeS3 cdn_{"weights"};
  Loopback hub_{[this](Peer& peer) {
    for (;;) answer(peer, peer.read_request());
  }};
};

TEST_F(HubTest, FillsTheCacheThatOtherToolsShare) {
  const std::string snapshot = fetch();
  const fs::path model = home_ / "hub" / "models--org--name";
  EXPECT_EQ(snapshot, (model / "snapshots" / kCommit).string());
  EXPECT_EQ(read_file(snapshot + "/model.safetensors", 99), "weights");
  EXPECT_EQ(read_file(snapshot + "/config.json", 99), "{}");
  EXPECT_EQ(fs::read_symlink(snapshot + "/config.json"), fs::path("../../blobs") / kConfigEtag);
  EXPECT_EQ(read_file((model / "refs" / "main").string(), 99), kCommit);
  EXPECT_FALSE(fs::exists(snapshot + "/pytorch_model.bin"));  // safetensors are there
  for (const std::string& request : cdn_.requests()) {
    EXPECT_EQ(header_of(request, "Authorization"), "");
  }
  const int before = requests_;
  EXPECT_EQ(fetch(), snapshot);
  EXPECT_EQ(requests_, before + 1);  // which commit it is
  EXPECT_EQ(fetch({{"HF_HUB_OFFLINE", "1"}}), snapshot);
  EXPECT_EQ(requests_, before + 1);
}

TEST_F(HubTest, WhatWasFetchedServesWhenTheHubIsAway) {
  const std::string snapshot = fetch();
  status_ = "503 Service Unavailable";
  EXPECT_EQ(fetch(), snapshot);
  status_ = "404 Not Found";
  expect_part(refused(), "there is no such model");
}

TEST_F(HubTest, OfflineWithoutACopySaysSo) {
  expect_part(refused({{"HF_HUB_OFFLINE", "1"}}), "HF_HUB_OFFLINE is set");
  EXPECT_EQ(requests_, 0);
}

TEST_F(HubTest, AnIncompleteFileIsFetchedAnew) {
  const fs::path blobs = home_ / "hub" / "models--org--name" / "blobs";
  fs::create_directories(blobs);
  std::ofstream(blobs / (std::string(kConfigEtag) + ".incomplete")) << "{\"half";
  EXPECT_EQ(read_file(fetch() + "/config.json", 99), "{}");
  EXPECT_FALSE(fs::exists(blobs / (std::string(kConfigEtag) + ".incomplete")));
}

TEST_F(HubTest, ContentThatIsNotItsDigestIsRefused) {
  weights_etag_ = std::string(64, 'a');
  expect_part(refused(), "does not have the digest");
  const fs::path model = home_ / "hub" / "models--org--name";
  EXPECT_FALSE(fs::exists(model / "blobs" / weights_etag_));
  EXPECT_FALSE(fs::exists(model / "refs" / "main"));
}

TEST_F(HubTest, AnEtagCannotLeadOutOfTheCache) {
  weights_etag_ = "../../../evil";
  expect_part(refused(), "without ETag");
}

TEST_F(HubTest, TokensAndGates) {
  token_ = "canary-token";
  fetch({{"HF_TOKEN", token_}});
  fs::remove_all(home_);
  fs::create_directories(home_);
  std::ofstream(home_ / "token") << token_ << "\n";
  fetch();
  token_.clear();
  status_ = "403 Forbidden";
  more_headers_ = "X-Error-Code: GatedRepo\r\n";
  fs::remove_all(home_);
  expect_part(refused(), "accept their terms: do so at " + hub_.url().origin() + "/org/name");
  more_headers_ = "X-Error-Code: RevisionNotFound\r\n";
  status_ = "404 Not Found";
  expect_part(refused(), "no such branch");
  status_ = "401 Unauthorized";
  more_headers_ = "";
  expect_part(refused(), "it is private: then set HF_TOKEN");
}

TEST_F(HubTest, TwoProcessesFetchOneCopy) {
  std::string first, second;
  std::thread other([&] { first = fetch(); });
  second = fetch();
  other.join();
  EXPECT_EQ(first, second);
  EXPECT_EQ(read_file(second + "/model.safetensors", 99), "weights");
}

}  // namespace
}  // namespace lambert
