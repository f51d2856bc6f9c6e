#include "net/sigv4.h"

#include <gtest/gtest.h>

#include <fstream>
#include <type_traits>

#include "base/json.h"
#include "net/digest.h"

namespace lambert {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

std::string signature(const HttpRequest& request) {
  const std::string* authorization = find_header(request.headers, "Authorization");
  return authorization == nullptr ? "" : authorization->substr(authorization->rfind('=') + 1);
}

AwsCredentials credentials(const std::string& id, const std::string& secret,
                           const std::string& token = "") {
  return {id, Secret(secret), Secret(token), std::nullopt, "test"};
}

// The examples of "Signature Calculations for the Authorization Header: Transferring Payload in a
// Single Chunk" of the Amazon S3 API reference.
TEST(SigV4, TheExamplesOfTheS3Reference) {
  const auto sign = [](HttpRequest request) {
    sign_request(request, "examplebucket.s3.amazonaws.com",
                 credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                 {"us-east-1", "s3"}, WallTime(std::chrono::seconds(1369353600)));
    return *find_header(request.headers, "Authorization");
  };
  EXPECT_EQ(sign({.target = "/test.txt", .headers = {{"Range", "bytes=0-9"}}}),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const std::string put = sign({.method = "PUT",
                                .target = "/test%24file.text",
                                .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                            {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                                .body = "Welcome to Amazon S3."});
  EXPECT_TRUE(put.ends_with("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
      << put;
  EXPECT_TRUE(sign({.target = "/?lifecycle"})
                  .ends_with("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_TRUE(sign({.target = "/?max-keys=2&prefix=J"})
                  .ends_with("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

// Cases of AWS's Signature Version 4 test suite that hold for what is signed here (no paths that
// would be normalised), named as there; the inputs are restated.
TEST(SigV4, CasesOfTheTestSuite) {
  struct Case {
    const char* name;
    HttpRequest request;
    const char* expected;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"get-vanilla", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
           {"get-vanilla-query-order-key-case",
            {.target = "/?Param2=value2&Param1=value1"},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
           {"get-vanilla-query-unreserved",
            {.target = "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~"
                       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
           {"get-header-value-trim",
            {.headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}},
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
           {"post-vanilla",
            {.method = "POST"},
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
           {"post-x-www-form-urlencoded",
            {.method = "POST",
            .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
            .body = "Param1=value1"},
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"}}) {
    HttpRequest request = c.request;
    sign_request(request, "example.amazonaws.com",
                 credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                 {"us-east-1", "service"}, WallTime(std::chrono::seconds(1440938160)));
    EXPECT_EQ(signature(request), c.expected) << c.name;
  }
}

// Made by tools/goldens/sigv4.py.
TEST(SigV4, EqualsBotocore) {
  std::ifstream file(LAMBERT_SOURCE_DIR "/tests/net/data/sigv4.jsonl");
  std::size_t cases = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    const json::value c = parse_json(line, "sigv4.jsonl", ErrorCode::kInternal);
    std::string target = "/";
    if (!c.at("key").is_null()) target += uri_encode_path(text(c.at("key")));
    std::string separator = "?";
    for (const json::value& parameter : c.at("query").as_array()) {
      target += std::exchange(separator, "&") + uri_encode(text(parameter.at(0))) + "=" +
                uri_encode(text(parameter.at(1)));
    }
    EXPECT_EQ(target, text(c.at("target")));
    const std::string body = text(c.at("body"));
    HttpRequest request{.method = text(c.at("method")), .target = target, .body = body};
    for (const json::value& header : c.at("headers").as_array()) {
      request.headers.push_back({text(header.at(0)), text(header.at(1))});
    }
    const auto keys = credentials(text(c.at("access")), text(c.at("secret")), text(c.at("token")));
    const WallTime time{std::chrono::seconds(c.at("time").as_int64())};
    for (int again = 0; again < 2; ++again) {  // a second signature replaces the first
      sign_request(request, text(c.at("host")), keys, {text(c.at("region")), text(c.at("service"))},
                   time);
      EXPECT_EQ(*find_header(request.headers, "Authorization"), text(c.at("authorization")))
          << line;
    }
  }
  EXPECT_GE(cases, 250U);
}

TEST(Digest, IsThatOfThePieces) {
  EXPECT_EQ(hex(bytes_of(sha256(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string text = "abcdefgh";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Digest digest(DigestKind::kSha256);
    digest.update(std::as_bytes(std::span(text).first(cut)));
    digest.update(std::as_bytes(std::span(text).subspan(cut)));
    EXPECT_EQ(digest.finish(), bytes_of(sha256(text)));
  }
  Digest sha1(DigestKind::kSha1);
  EXPECT_EQ(hex(sha1.finish()), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("a"), "YQ==");
  EXPECT_EQ(base64("abc\xFF"), "YWJj/w==");
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(Secret, CannotBePrintedAndIsWiped) {
  static_assert(!Printable<Secret> && !std::is_convertible_v<Secret, std::string_view> &&
                !std::is_convertible_v<Secret, std::string>);
  Secret secret(std::string("canary, longer than what fits into the string itself"));
  const Secret copy = secret;
  const Secret moved = std::move(secret);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): this is the promise
  EXPECT_EQ(moved.reveal(), copy.reveal());
  secret = copy;
  secret = *&secret;
  EXPECT_EQ(secret.reveal(), copy.reveal());
}

}  // namespace
}  // namespace lambert
