#include "store/s3_client.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "fake_s3.h"

namespace lambert {
namespace {

S3Settings settings_of(std::map<std::string, std::string> variables, const Clock& clock) {
  return {{environment_of(std::move(variables)), "", false, {&clock}},
          {.part_bytes = 1'000, .connections = 2}};
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string target_of(const std::string& request) {
  const std::size_t begin = request.find(' ') + 1;
  return request.substr(begin, request.find(' ', begin) - begin);
}

TEST(S3Client, ReadsAnObjectInRangesOfOneVersion) {
  const TestClock clock;
  FakeS3 s3(std::string(2'500, 'a') + "end");
  S3Client client(settings_of(s3.variables(), clock));
  const auto object = client.find("bucket", "dir with space/ключ+1.bin");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->file.name, "ключ+1.bin");
  EXPECT_EQ(object->file.size, 2'503U);
  std::string content;
  client.get("bucket", "dir with space/ключ+1.bin", *object, [&](std::span<const std::byte> bytes) {
    content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  EXPECT_EQ(content, s3.content());
  const auto requests = s3.requests();
  ASSERT_EQ(requests.size(), 4U);
  for (const std::string& request : requests) {
    EXPECT_EQ(target_of(request), "/bucket/dir%20with%20space/%D0%BA%D0%BB%D1%8E%D1%87%2B1.bin");
    EXPECT_NE(header_of(request, "Authorization").find("/us-east-1/s3/aws4_request"),
              std::string::npos);
    if (!request.starts_with("GET")) continue;
    EXPECT_EQ(header_of(request, "If-Match"), "\"one\"");
  }
}

TEST(S3Client, AnEmptyObjectNeedsNoRequest) {
  const TestClock clock;
  FakeS3 s3("");
  S3Client client(settings_of(s3.variables(), clock));
  const auto object = client.find("bucket", "empty");
  client.get("bucket", "empty", object.value(),
             [](std::span<const std::byte>) { ADD_FAILURE() << "bytes of nothing"; });
  EXPECT_EQ(s3.requests().size(), 1U);
}

TEST(S3Client, ChecksTheChecksumOfTheWhole) {
  const TestClock clock;
  const auto serve = [&](const char* checksum) {
    return FakeS3::Fault([checksum](FakeS3& s3, Peer& peer, const std::string& request) {
      if (!request.starts_with("HEAD")) return false;
      EXPECT_EQ(header_of(request, "x-amz-checksum-mode"), "ENABLED");
      peer.send("HTTP/1.1 200 OK\r\nETag: \"one\"\r\n" + std::string(checksum) +
                "\r\nContent-Length: " + std::to_string(s3.content().size()) + "\r\n\r\n");
      return true;
    });
  };
  const auto get = [&](const char* checksum) {
    FakeS3 s3("hello", serve(checksum));
    S3Client client(settings_of(s3.variables(), clock));
    const auto object = client.find("b-1", "k");
    client.get("b-1", "k", object.value(), [](std::span<const std::byte>) {});
  };
  get("x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
  get("x-amz-checksum-sha1: qvTGHdzF6KLavt4PO0gs2a6pQ00=");
  get("x-amz-checksum-crc32: NhCmhg==");
  get("x-amz-checksum-crc32: AAAAAA==-2");                                  // of parts
  get("x-amz-checksum-crc32: AAAAAA==\r\nx-amz-checksum-type: COMPOSITE");  // of parts
  get("x-amz-checksum-crc64nvme: M3eFcAZSQlc=");
  get("x-amz-checksum-crc32c: mnG7TA==");
  get("x-amz-checksum-md9: AAAAAAAAAAA=");  // none that we know
  for (const char* const wrong :
       {"x-amz-checksum-crc32: AAAAAA==", "x-amz-checksum-crc64nvme: AAAAAAAAAAA=",
        "x-amz-checksum-sha1: qvTGHdzF6KLavt4PO0gs2a6pQ01="}) {
    EXPECT_NE(message_of([&] { get(wrong); }).find("checksum"), std::string::npos) << wrong;
  }
}

TEST(S3Client, GoesToTheRegionOfTheBucketAndStaysThere) {
  const TestClock clock;
  FakeS3 s3("content", [](FakeS3&, Peer& peer, const std::string& request) {
    if (request.find("/eu-central-1/s3/") != request.npos) return false;
    peer.send(reply("400 Bad Request", "x-amz-bucket-region: eu-central-1\r\n", ""));
    return true;
  });
  S3Client client(settings_of(s3.variables(), clock));
  EXPECT_TRUE(client.find("bucket", "k"));
  EXPECT_TRUE(client.find("bucket", "k"));
  EXPECT_EQ(s3.requests().size(), 3U);
}

TEST(S3Client, FollowsTheClockOfS3) {
  const TestClock clock;  // 2023-11-14 22:13:20
  FakeS3 s3("content", [](FakeS3&, Peer& peer, const std::string& request) {
    if (header_of(request, "X-Amz-Date").starts_with("20231115T12")) return false;
    peer.send("HTTP/1.1 403 Forbidden\r\nDate: Wed, 15 Nov 2023 12:00:00 GMT\r\n\r\n");
    throw Peer::Gone{};
  });
  S3Client client(settings_of(s3.variables(), clock));
  EXPECT_TRUE(client.find("bucket", "k"));
}

TEST(S3Client, FetchesNewKeysWhenTheOldHaveExpired) {
  const TestClock clock;
  std::atomic<int> asked = 0;
  Loopback container([&](Peer& peer) {
    for (;;) {
      EXPECT_EQ(header_of(peer.read_request(), "Authorization"), "pod-token");
      peer.send(reply("200 OK", "",
                      R"({"AccessKeyId":"KEY)" + std::to_string(asked++) +
                          R"(","SecretAccessKey":"canary","Token":"canary-token"})"));
    }
  });
  FakeS3 s3("content", [](FakeS3&, Peer& peer, const std::string& request) {
    EXPECT_EQ(header_of(request, "X-Amz-Security-Token"), "canary-token");
    if (request.find("Credential=KEY1/") != request.npos) return false;
    if (request.starts_with("HEAD")) {
      peer.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      throw Peer::Gone{};
    }
    peer.send(reply("400 Bad Request", "", xml_error("ExpiredToken")));
    return true;
  });
  S3Client client(
      settings_of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url().origin() + "/keys"},
                   {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod-token"},
                   {"AWS_ENDPOINT_URL_S3", s3.endpoint()}},
                  clock));
  EXPECT_TRUE(client.find("bucket", "k"));
  EXPECT_EQ(asked, 2);
}

TEST(S3Client, SaysWhyAnObjectIsDenied) {
  const TestClock clock;
  FakeS3 s3("content", [](FakeS3&, Peer& peer, const std::string& request) {
    if (request.starts_with("HEAD")) {
      peer.send("HTTP/1.1 403 Forbidden\r\n\r\n");
      throw Peer::Gone{};
    }
    peer.send(reply("403 Forbidden", "", xml_error("AccessDenied")));
    return true;
  });
  S3Client client(settings_of(s3.variables(), clock));
  const std::string message = message_of([&] { client.find("bucket", "k"); });
  EXPECT_NE(message.find("AccessDenied"), message.npos) << message;
  EXPECT_NE(message.find("needs s3:GetObject on s3://bucket/k"), message.npos) << message;
}

TEST(S3Client, ListsPageAfterPage) {
  const TestClock clock;
  FakeS3 s3("", [](FakeS3&, Peer& peer, const std::string& request) {
    const bool first = target_of(request).find("continuation-token") == std::string::npos;
    EXPECT_EQ(target_of(request),
              std::string("/bucket/?delimiter=%2F&encoding-type=url&list-type=2&prefix=m%2F") +
                  (first ? "" : "&continuation-token=t%2B1"));
    peer.send(reply(
        "200 OK", "",
        first ? "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                "<NextContinuationToken>t+1</NextContinuationToken>"
                "<Contents><Key>m%2F</Key><Size>0</Size></Contents>"
                "<Contents><Key>m%2Fa+b%2B.bin</Key><Size>7</Size>"
                "<ETag>&quot;x&quot;</ETag></Contents></ListBucketResult>"
              : "<ListBucketResult><IsTruncated>false</IsTruncated>"
                "<Contents><Key>m/c+d</Key><Size>1</Size></Contents>"
                "</ListBucketResult>"));
    return true;
  });
  S3Client client(settings_of(s3.variables(), clock));
  const auto files = client.list("bucket", "m/");
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "a b+.bin");
  EXPECT_EQ(files[0].size, 7U);
  EXPECT_EQ(files[0].etag, "\"x\"");
  EXPECT_EQ(files[1].name, "c+d");  // of a server that does not encode
}

// What an upload asks for, in order; the object is there afterwards.
std::vector<std::string> upload_targets(std::size_t size, bool part_fails) {
  const TestClock clock;
  const std::string content(size, 'x');
  FakeS3 s3(content, [&](FakeS3&, Peer& peer, const std::string& request) {
    const std::string target = target_of(request);
    if (request.starts_with("HEAD")) return false;
    if (target.ends_with("?uploads=")) {
      peer.send(reply("200 OK", "", "<R><UploadId>id/1</UploadId></R>"));
    } else if (target.find("partNumber=2&") != target.npos && part_fails) {
      peer.send(reply("400 Bad Request", "", xml_error("BadDigest")));
    } else if (request.starts_with("PUT")) {
      peer.send(reply("200 OK", "ETag: \"p\"\r\n", ""));
    } else {
      peer.send(reply("200 OK", "", "<CompleteMultipartUploadResult/>"));
    }
    return true;
  });
  S3Client client(settings_of(s3.variables(), clock));
  std::uint64_t done = 0;
  const std::string message = message_of([&] {
    client.put("bucket", "k", std::as_bytes(std::span(content)),
               [&](std::uint64_t n) { done = n; });
  });
  EXPECT_EQ(message == "no error", !part_fails) << message;
  EXPECT_EQ(done == size, !part_fails);
  std::vector<std::string> targets;
  for (const std::string& request : s3.requests()) {
    targets.push_back(request.substr(0, request.find(' ', request.find(' ') + 1)));
  }
  return targets;
}

TEST(S3Client, WritesInOnePieceOrInParts) {
  using Targets = std::vector<std::string>;
  EXPECT_EQ(upload_targets(5, false), (Targets{"PUT /bucket/k", "HEAD /bucket/k"}));
  const std::string id = "uploadId=id%2F1";
  EXPECT_EQ(
      upload_targets((16 << 20) + 1, false),
      (Targets{"POST /bucket/k?uploads=", "PUT /bucket/k?partNumber=1&" + id,
               "PUT /bucket/k?partNumber=2&" + id, "POST /bucket/k?" + id, "HEAD /bucket/k"}));
  EXPECT_EQ(upload_targets((16 << 20) + 1, true),
            (Targets{"POST /bucket/k?uploads=", "PUT /bucket/k?partNumber=1&" + id,
                     "PUT /bucket/k?partNumber=2&" + id, "DELETE /bucket/k?" + id}));
}

TEST(S3Client, MakesABucketThatIsNotThere) {
  const TestClock clock;
  FakeS3 s3("", [](FakeS3&, Peer& peer, const std::string& request) {
    if (request.starts_with("HEAD")) {
      peer.send("HTTP/1.1 404 Not Found\r\n\r\n");
      throw Peer::Gone{};
    }
    EXPECT_TRUE(request.starts_with("PUT /new-bucket/ ")) << request;
    EXPECT_NE(request.find("<LocationConstraint>eu-north-1<"), request.npos) << request;
    peer.send(reply("200 OK", "", ""));
    return true;
  });
  auto variables = s3.variables();
  variables["AWS_REGION"] = "eu-north-1";
  S3Client(settings_of(variables, clock)).create_bucket("new-bucket");
  EXPECT_EQ(s3.requests().size(), 2U);
}

}  // namespace
}  // namespace lambert
