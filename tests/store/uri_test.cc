#include "store/uri.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace lambert {
namespace {

TEST(Uri, NamesPlaces) {
  using Kind = Uri::Kind;
  for (const char* const path : {"models/squad", "/abs", "./a:b", "C:", "a//b", "", "s3:/x"}) {
    EXPECT_EQ(parse_uri(path, "m").kind, Kind::kPath) << path;
    EXPECT_EQ(parse_uri(path, "m").path, path);
  }
  EXPECT_EQ(parse_uri("file:///abs/dir", "m").path, "/abs/dir");
  EXPECT_EQ(parse_uri("file:rel/dir", "m").path, "rel/dir");
  const Uri s3 = parse_uri("S3://my.bucket-1/a b/+ü//c.tar.gz", "m");
  EXPECT_EQ(s3.kind, Kind::kS3);
  EXPECT_EQ(s3.bucket, "my.bucket-1");
  EXPECT_EQ(s3.key, "a b/+ü//c.tar.gz");
  EXPECT_EQ(uri_file_name(s3), "c.tar.gz");
  EXPECT_EQ(parse_uri("s3://bucket", "m").key, "");
  EXPECT_EQ(parse_uri("https://example.com/m.tar.gz?x=1", "m").kind, Kind::kHttps);
  EXPECT_EQ(uri_file_name(parse_uri("https://example.com/m.tar.gz?x=/1", "m")), "m.tar.gz");
  EXPECT_EQ(parse_uri("http://127.0.0.1:9000/m", "m").kind, Kind::kHttps);
  const Uri hub = parse_uri("hf://org/name@refs/pr/1", "m");
  EXPECT_EQ(hub.kind, Kind::kHub);
  EXPECT_EQ(hub.repository, "org/name");
  EXPECT_EQ(hub.revision, "refs/pr/1");
  EXPECT_EQ(parse_uri("hf://bert-base", "m").revision, "main");
}

// A model's place comes from the configuration alone, and even so it cannot be made to ask this
// machine's own services, or leave its bucket, cache or directory.
TEST(Uri, RefusesWhatCouldLeadElsewhere) {
  for (const char* const text : {"http://example.com/m",
                                 "http://169.254.169.254/latest/meta-data/",
                                 "ftp://host/m",
                                 "gopher://host",
                                 "data://x",
                                 "s3a://bucket/key",
                                 "gs://bucket/key",
                                 "jar+x://x",
                                 "file://host/share",
                                 "file://localhost/etc/passwd",
                                 "https://",
                                 "https:///path",
                                 "https://user:secret@example.com/m",
                                 "https://user@example.com/m",
                                 "https://example.com@169.254.169.254/m",
                                 "https://0x7f.1/m",
                                 "https://0x7f000001/m",
                                 "https://2130706433/m",
                                 "https://127.1/m",
                                 "https://0177.0.0.1/m",
                                 "https://[::ffff:127.0.0.1]/",
                                 "https://[::127.0.0.1]/",
                                 "https://[fe80::1%25eth0]/m",
                                 "https://example.com:0/m",
                                 "https://example.com:99999/m",
                                 "https://exa mple.com/m",
                                 "https://example.com/a b",
                                 "https://example.com/#x",
                                 "https://example.com/%zz",
                                 "https://example..com/",
                                 "https://-a.com/",
                                 "https://example.com\\@evil/",
                                 "https://ex\nample.com/",
                                 "s3://",
                                 "s3:///key",
                                 "s3://ab/key",
                                 "s3://-bucket/key",
                                 "s3://bu..cket/key",
                                 "s3://bucket@host/key",
                                 "s3://bucket:80/key",
                                 "s3://bu%63ket/k",
                                 "hf://",
                                 "hf:///name",
                                 "hf://org/",
                                 "hf://a/b/c",
                                 "hf://../name",
                                 "hf://org/..",
                                 "hf://org/.git",
                                 "hf://-x/y",
                                 "hf://a--b/c",
                                 "hf://org/name@",
                                 "hf://org/name@../../etc",
                                 "hf://org/name@/etc",
                                 "hf://org/na me",
                                 "hf://org/name?x=1"}) {
    try {
      parse_uri(text, "LAMBERT_MODEL");
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
      EXPECT_EQ(std::string_view(error.what()).find("secret"), std::string_view::npos);
      EXPECT_TRUE(std::string_view(error.what()).starts_with("LAMBERT_MODEL")) << error.what();
    }
  }
}

}  // namespace
}  // namespace lambert
