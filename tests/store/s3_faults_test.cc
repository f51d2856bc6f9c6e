// Downloads from an S3 that fails in every way that is known, by 600 seeded schedules: the right
// bytes, or a clear error within the budget of time; no secret in it, nothing left open.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <random>
#include <set>
#include <utility>

#include "base/error.h"
#include "fake_s3.h"
#include "store/s3_client.h"

namespace lambert {
namespace {

constexpr std::chrono::milliseconds kBudget{60'000};

std::string random_text(std::size_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(generator());
  return text;
}

// What goes wrong. Each answers the request otherwise than it should.
using Wrong = void (*)(const FakeS3&, Peer&, const std::string&, const TestClock&);

void answer_status(Peer& peer, const char* status, const std::string& code) {
  peer.send(reply(status, "", xml_error(code)));
}

// The right answer to a range, to be spoiled; of HEAD, its head.
std::string right_head(const FakeS3& s3, const std::string& request, std::size_t& begin,
                       std::size_t& end) {
  begin = end = 0;
  const std::string range = header_of(request, "Range");
  if (std::sscanf(range.c_str(), "bytes=%zu-%zu", &begin, &end) != 2) end = 99;
  return "HTTP/1.1 206 Partial Content\r\nETag: \"one\"\r\n" + s3.content_range(begin, end);
}

constexpr std::pair<const char*, Wrong>
    kWrongs[] =
        {
            {"500", [](const FakeS3&, Peer& peer, const std::string&,
                       const TestClock&) { answer_status(peer, "500 Oops", "InternalError"); }},
            {"503", [](const FakeS3&, Peer& peer, const std::string&,
                       const TestClock&) { answer_status(peer, "503 Slow Down", "SlowDown"); }},
            {"429",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) {
               answer_status(peer, "429 Too Many Requests", "TooMany");
             }},
            {"503 without XML",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) {
               peer.send(reply("503 Slow Down", "", "<html>busy</p>"));
             }},
            {"reset at once",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) {
               peer.reset();
               throw Peer::Gone{};
             }},
            {"closed at once", [](const FakeS3&, Peer&, const std::string&,
                                  const TestClock&) { throw Peer::Gone{}; }},
            {"reset in the body",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Content-Length: " + std::to_string(end - begin + 1) + "\r\n\r\n" +
                         s3.content().substr(begin, (end - begin) / 2));
               peer.reset();
               throw Peer::Gone{};
             }},
            {"stall before the head",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) { peer.stall(); }},
            {"stall in the body",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Content-Length: " + std::to_string(end - begin + 1) + "\r\n\r\n" +
                         s3.content().substr(begin, (end - begin) / 3));
               peer.stall();
             }},
            {"a byte a second",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock& clock) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Content-Length: " + std::to_string(end - begin + 1) + "\r\n\r\n");
               for (std::size_t i = begin; i <= end; ++i) {
                 peer.send(s3.content().substr(i, 1));
                 clock.advance(std::chrono::seconds(1));
               }
             }},
            {"a length that is too large",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Content-Length: " + std::to_string(end - begin + 9) + "\r\n\r\n" +
                         s3.content().substr(begin, end - begin + 1));
               throw Peer::Gone{};
             }},
            {"a length that is too small",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Content-Length: 7\r\n\r\n" + s3.content().substr(begin, 7));
             }},
            {"chunks without a length, cut off",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n" +
                         s3.content().substr(begin, 5) + "\r\n");
               throw Peer::Gone{};
             }},
            {"chunks that are too long",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               const std::string head = right_head(s3, request, begin, end);
               peer.send(head + "Transfer-Encoding: chunked\r\n\r\nffff\r\n" +
                         std::string(0xffff, 'x') + "\r\n0\r\n\r\n");
             }},
            {"200 for a range",
             [](const FakeS3& s3, Peer& peer, const std::string&, const TestClock&) {
               peer.send(reply("200 OK", "ETag: \"one\"\r\n", s3.content()));
             }},
            {"another range",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               right_head(s3, request, begin, end);
               peer.send(reply("206 Partial Content",
                               "ETag: \"one\"\r\n" + s3.content_range(begin + 1, end + 1),
                               s3.content().substr(begin, end - begin + 1)));
             }},
            {"another total",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               right_head(s3, request, begin, end);
               peer.send(reply("206 Partial Content",
                               "ETag: \"one\"\r\nContent-Range: bytes " + std::to_string(begin) +
                                   "-" + std::to_string(end) + "/*\r\n",
                               s3.content().substr(begin, end - begin + 1)));
             }},
            {"another ETag",
             [](const FakeS3& s3, Peer& peer, const std::string& request, const TestClock&) {
               std::size_t begin = 0, end = 0;
               right_head(s3, request, begin, end);
               peer.send(reply("206 Partial Content",
                               "ETag: \"two\"\r\n" + s3.content_range(begin, end),
                               std::string(end - begin + 1, 'x')));
             }},
            {"412",
             [](
                 const FakeS3&, Peer& peer, const std::string&,
                 const TestClock&) { answer_status(peer, "412 Precondition Failed", "Changed"); }},
            {"another region",
             [](const FakeS3&, Peer& peer, const std::string& request, const TestClock&) {
               const bool first = request.find("/us-east-1/s3/") != request.npos;
               const std::string region = first ? "eu-west-1" : "us-east-1";
               peer.send(reply("301 Moved Permanently", "x-amz-bucket-region: " + region + "\r\n",
                               xml_error("PermanentRedirect")));
             }},
            {"a redirect elsewhere",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) {
               peer.send(reply("307 Temporary Redirect",
                               "Location: http://169.254.169.254/latest\r\n", ""));
             }},
            {"keys that have expired",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) {
               answer_status(peer, "400 Bad Request", "ExpiredToken");
             }},
            {"clocks that differ",
             [](const FakeS3&, Peer& peer, const std::string&, const TestClock&) {
               peer.send(reply("403 Forbidden", "Date: Wed, 15 Nov 2023 12:00:00 GMT\r\n",
                               xml_error("RequestTimeTooSkewed")));
             }},
            {"denied",
             [](const FakeS3&, Peer& peer, const std::string&,
                const TestClock&) { answer_status(peer, "403 Forbidden", "AccessDenied"); }},
            {"no HTTP", [](const FakeS3&, Peer& peer, const std::string&,
                           const TestClock&) { peer.send("SSH-2.0-OpenSSH_9\r\n\r\n"); }},
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

struct Outcome {
  bool right = false;
  std::string error;
};

// Each request is spoiled with the probability `spoiled`, by one drawn way.
Outcome run_schedule(unsigned seed, double spoiled, const std::vector<Wrong>& ways) {
  const TestClock clock;
  std::mutex mutex;
  std::mt19937 generator(seed);
  FakeS3 s3(random_text(20'000 + seed % 777, seed),
            [&](FakeS3& server, Peer& peer, const std::string& request) {
              Wrong way = nullptr;
              {
                const std::lock_guard lock(mutex);
                if (std::uniform_real_distribution<>()(generator) < spoiled) {
                  way = ways[generator() % ways.size()];
                }
              }
              if (way == nullptr) return false;
              way(server, peer, request, clock);
              return true;
            });
  S3Client client({{environment_of(s3.variables()), "", false, {&clock}},
                   {.part_bytes = 2'500, .connections = 3, .window = 4, .budget = kBudget}});
  const TimePoint begin = clock.now();
  Outcome outcome;
  try {
    const auto object = client.find("bucket", "dir/model.tar.gz");
    if (!object) return {false, "s3://: no such object"};
    std::string content;
    client.get("bucket", "dir/model.tar.gz", *object, [&](std::span<const std::byte> bytes) {
      content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    EXPECT_EQ(content, s3.content()) << "seed " << seed;
    outcome.right = content == s3.content();
  } catch (const Error& error) {
    outcome.error = error.what();
  }
  // find and get have a budget each; a byte a second moves the clock under all connections.
  EXPECT_LE(clock.now() - begin, 2 * kBudget + std::chrono::seconds(3 * 2'500)) << "seed " << seed;
  return outcome;
}

void expect_clear(const Outcome& outcome, const std::string& what) {
  if (outcome.right) return;
  const bool named = outcome.error.find("s3://") != outcome.error.npos ||
                     outcome.error.find("http://127.0.0.1") != outcome.error.npos ||
                     outcome.error.find("model.tar.gz") != outcome.error.npos;
  EXPECT_TRUE(named) << what << ": " << outcome.error;
  EXPECT_EQ(outcome.error.find("canary"), outcome.error.npos) << outcome.error;
}

TEST(S3Faults, SixHundredSchedulesGiveTheRightBytesOrAClearError) {
  std::vector<Wrong> all;
  for (const auto& [name, way] : kWrongs) all.push_back(way);
  const std::size_t before = open_descriptors();
  int right = 0, refused = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    const double spoiled = std::array{0.02, 0.1, 0.3}[seed % 3];
    const Outcome outcome = run_schedule(seed, spoiled, all);
    expect_clear(outcome, "seed " + std::to_string(seed));
    ++(outcome.right ? right : refused);
  }
  EXPECT_GE(right, 150);
  EXPECT_GE(refused, 50);
  EXPECT_EQ(open_descriptors(), before);
}

// Each alone, at one request in ten: what passes is overcome.
TEST(S3Faults, WhatPassesIsOvercome) {
  const std::set<std::string> final = {
      "another ETag",    "412",    "a redirect elsewhere", "denied", "keys that have expired",
      "a byte a second", "no HTTP"};
  for (const auto& [name, way] : kWrongs) {
    if (final.contains(name)) continue;
    int right = 0;
    for (unsigned seed = 0; seed < 8; ++seed) {
      const Outcome outcome = run_schedule(seed, 0.1, {way});
      expect_clear(outcome, name);
      right += outcome.right ? 1 : 0;
    }
    EXPECT_GE(right, 6) << name;
  }
}

TEST(S3Faults, WhatDoesNotPassIsSaid) {
  for (const auto& [name, part] :
       std::map<std::string, std::string>{{"another ETag", "was replaced"},
                                          {"412", "replaced while it was read"},
                                          {"denied", "needs s3:GetObject"},
                                          {"keys that have expired", "expired"},
                                          {"a redirect elsewhere", "status 307"},
                                          {"503", "gave up after 5 attempts"}}) {
    for (const auto& [wrong, way] : kWrongs) {
      if (wrong != name) continue;
      bool head = true;
      const Outcome outcome = [&, spoil = way] {
        const TestClock clock;
        FakeS3 s3(random_text(9'000, 1),
                  [&](FakeS3& server, Peer& peer, const std::string& request) {
                    if (std::exchange(head, false)) return false;
                    spoil(server, peer, request, clock);
                    return true;
                  });
        S3Client client({{environment_of(s3.variables()), "", false, {&clock}},
                         {.part_bytes = 9'000, .connections = 1, .budget = kBudget}});
        const auto object = client.find("bucket", "k");
        try {
          client.get("bucket", "k", object.value(), [](std::span<const std::byte>) {});
        } catch (const Error& error) {
          return Outcome{false, error.what()};
        }
        return Outcome{true, ""};
      }();
      EXPECT_NE(outcome.error.find(part), outcome.error.npos) << name << ": " << outcome.error;
    }
  }
}

}  // namespace
}  // namespace lambert
