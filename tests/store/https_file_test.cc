#include "store/https_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "fake_s3.h"

namespace lambert {
namespace {

HttpsSettings settings_of(const Clock& clock) {
  return {environment_of({}), {&clock}, {.part_bytes = 1'000, .connections = 3}, {}};
}

std::string read_file(HttpsFile& file) {
  std::string content;
  file.get([&](std::span<const std::byte> bytes) {
    content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return content;
}

std::string message_of(const Url& url, const Clock& clock) {
  try {
    HttpsFile file(url, settings_of(clock));
    read_file(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(HttpsFile, IsReadInRangesOfOneVersion) {
  const TestClock clock;
  FakeS3 server(std::string(3'333, 'a') + "end");
  Url url = parse_url(server.endpoint() + "/dir/model.bin?signature=canary", "test");
  HttpsFile file(url, settings_of(clock));
  EXPECT_EQ(file.file().name, "model.bin");
  EXPECT_EQ(file.file().size, 3'336U);
  EXPECT_EQ(read_file(file), server.content());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 5U);
  for (std::size_t i = 1; i < requests.size(); ++i) {
    EXPECT_EQ(header_of(requests[i], "If-Match"), "\"one\"");
  }
}

TEST(HttpsFile, AServerWithoutRangesIsReadAtOnce) {
  const TestClock clock;
  Loopback server([](Peer& peer) {
    for (;;) {
      peer.read_request();
      peer.send(reply("200 OK", "", "the whole"));
    }
  });
  HttpsFile file(server.url(), settings_of(clock));
  EXPECT_EQ(file.file().size, 9U);
  EXPECT_EQ(read_file(file), "the whole");
}

TEST(HttpsFile, AnEmptyFile) {
  const TestClock clock;
  Loopback server([](Peer& peer) {
    peer.read_request();
    peer.send(reply("416 Range Not Satisfiable", "Content-Range: bytes */0\r\n", ""));
  });
  HttpsFile file(server.url(), settings_of(clock));
  EXPECT_EQ(file.file().size, 0U);
  EXPECT_EQ(read_file(file), "");
}

TEST(HttpsFile, AuthorizationStaysWithTheFirstHost) {
  const TestClock clock;
  FakeS3 other("content");
  // Another port is another host.
  Loopback first([&](Peer& peer) {
    EXPECT_EQ(header_of(peer.read_request(), "Authorization"), "Bearer canary");
    peer.send(reply("302 Found", "Location: " + other.endpoint() + "/x\r\n", ""));
  });
  HttpsSettings settings = settings_of(clock);
  settings.authorization = Secret("Bearer canary");
  HttpsFile file(first.url(), settings);
  EXPECT_EQ(read_file(file), "content");
  for (const std::string& request : other.requests()) {
    EXPECT_EQ(header_of(request, "Authorization"), "");
  }
}

TEST(HttpsFile, SaysWhatIsWrong) {
  const TestClock clock;
  const auto answers = [&](const std::string& text) {
    Loopback server([&](Peer& peer) {
      peer.read_request();
      peer.send(text);
    });
    return message_of(server.url(), clock);
  };
  EXPECT_NE(answers(reply("404 Not Found", "", "")).find("status 404; check the URL"),
            std::string::npos);
  EXPECT_NE(answers(reply("403 Forbidden", "", "")).find("has expired"), std::string::npos);
  EXPECT_NE(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .find("does not say the size"),
            std::string::npos);
  EXPECT_NE(answers(reply("302 Found", "Location: http://169.254.169.254/latest\r\n", ""))
                .find("which is not followed"),
            std::string::npos);
  EXPECT_NE(answers(reply("302 Found", "Location: file:///etc/passwd\r\n", ""))
                .find("cannot be followed"),
            std::string::npos);
}

}  // namespace
}  // namespace lambert
