#include "net/url.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "net/network_error.h"
#include "net/proxy.h"
#include "net/redirect.h"

namespace lambert {
namespace {

TEST(Url, IsReadIntoItsParts) {
  struct Case {
    const char *text, *origin, *target;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"http://example.com", "http://example.com", "/"},
           {"HTTPS://Example.COM:443/A?b=%2F", "https://example.com", "/A?b=%2F"},
           {"http://example.com:8080?x", "http://example.com:8080", "/?x"},
           {"http://127.0.0.1:9001/2018-06-01", "http://127.0.0.1:9001", "/2018-06-01"},
           {"http://[::1]:80/", "http://[::1]", "/"},
           {"https://[FD00:EC2::23]:1/", "https://[fd00:ec2::23]:1", "/"},
           {"http://a_b-c.example./", "http://a_b-c.example.", "/"}}) {
    const Url url = parse_url(c.text, "test");
    EXPECT_EQ(url.origin(), c.origin);
    EXPECT_EQ(url.target, c.target);
  }
}

TEST(Url, WhatCouldBeTakenForAnotherHostIsRefused) {
  for (const std::string host : {"",
                                 "0x7f.1",
                                 "0x7f000001",
                                 "2130706433",
                                 "127.1",
                                 "0177.0.0.1",
                                 "127.0.0.1.",
                                 "1.2.3.4.5",
                                 "256.1.1.1",
                                 "127.0.0.0x1",
                                 "[::ffff:127.0.0.1]",
                                 "[::ffff:7f00:1]",
                                 "[::127.0.0.1]",
                                 "[fe80::1%25eth0]",
                                 "[::1",
                                 "::1",
                                 "[127.0.0.1]",
                                 "[]",
                                 "user@example.com",
                                 "user:canary@example.com",
                                 "a@b@c",
                                 "example.com\\@evil.com",
                                 "exam ple.com",
                                 "exa%6dple.com",
                                 "example..com",
                                 ".example.com",
                                 "-a.com",
                                 "a-.com",
                                 "a.com-",
                                 "\xC3\xA4.com",
                                 "a\tb",
                                 "a\n",
                                 "example.com:0",
                                 "example.com:65536",
                                 "example.com:",
                                 "example.com:80x",
                                 "example.com:-1",
                                 "[::1]x",
                                 "[::1]x:80",
                                 "a.com#",
                                 "a.com/#x",
                                 "a.com/a b",
                                 "a.com/%",
                                 "a.com/%zz",
                                 "a.com/\"",
                                 "a.com/\xC3\xA4",
                                 "a.com/<",
                                 "a.com/^",
                                 "a.com/{}",
                                 "a.com/|",
                                 "a.com/`",
                                 "a.com\\x"}) {
    try {
      const Url url = parse_url("http://" + host, "test");
      ADD_FAILURE() << host << " -> " << url.origin();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_TRUE(std::string(error.what()).starts_with("test: ")) << error.what();
      EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(parse_url("http://" + std::string(254, 'a'), "test"), Error);
  EXPECT_THROW(parse_url("http://" + std::string(64, 'a') + ".com", "test"), Error);
  for (const char* text :
       {"", "example.com", "ftp://example.com", "file:///etc/passwd", "//a.com", " http://a.com",
        "javascript:alert(1)", "gopher://a.com/", "http:/a.com"}) {
    EXPECT_THROW(parse_url(text, "test"), Error) << text;
  }
}

TEST(Url, KnowsAddressesAndLoopback) {
  for (const char* host : {"127.0.0.1", "127.255.0.3", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"128.0.0.1", "::2", "localhost.example.com", "169.254.169.254",
                           "10.0.0.1", "0.0.0.0", "::"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
  EXPECT_TRUE(is_ip_address("10.0.0.1"));
  EXPECT_TRUE(is_ip_address("fd00:ec2::23"));
  EXPECT_FALSE(is_ip_address("example.com"));
}

Hop redirected(const std::string& from, const std::string& location, int status = 302,
               int redirects = 0) {
  const HttpHead head{status, {{"Location", location}}, {}};
  return next_hop({parse_url(from, "test"), redirects, true}, head).value();
}

TEST(Redirect, LeadsToPathsAndUrls) {
  for (const int status : {301, 302, 303, 307, 308}) {
    const Hop hop = redirected("https://a.com/x?y", "/z?w=%20", status);
    EXPECT_EQ(hop.url.origin() + hop.url.target, "https://a.com/z?w=%20");
    EXPECT_EQ(hop.redirects, 1);
    EXPECT_TRUE(hop.may_authenticate);
  }
  EXPECT_TRUE(redirected("https://a.com/", "https://A.com:443/b").may_authenticate);
  EXPECT_FALSE(redirected("https://a.com/", "https://b.com/").may_authenticate);
  EXPECT_FALSE(redirected("https://a.com/", "//b.com/").may_authenticate);
  EXPECT_FALSE(redirected("https://a.com/", "https://a.com:8443/").may_authenticate);
  EXPECT_FALSE(redirected("http://a.com/", "https://a.com/").may_authenticate);
  // Nor when a later one comes back.
  const Hop away = redirected("https://a.com/", "https://b.com/");
  EXPECT_FALSE(next_hop(away, {302, {{"Location", "https://a.com/"}}, {}})->may_authenticate);
}

TEST(Redirect, OtherResponsesLeadNowhere) {
  const Hop from{parse_url("https://a.com/", "test")};
  EXPECT_FALSE(next_hop(from, {302, {}, {}}));
  EXPECT_FALSE(next_hop(from, {304, {{"Location", "/x"}}, {}}));
  EXPECT_FALSE(next_hop(from, {200, {{"Location", "/x"}}, {}}));
}

TEST(Redirect, WhatIsNotFollowedIsAnError) {
  for (const char* location :
       {"http://a.com/", "https://169.254.169.254/latest/meta-data", "https://127.0.0.1/",
        "https://localhost/", "https://[::1]/", "https://[fd00:ec2::254]/", "file:///etc/passwd",
        "https://user:canary@b.com/", "x", "", "?x", "https://0x7f.1/", "/a b", "/\xFF",
        "javascript:x"}) {
    try {
      redirected("https://a.com/", location);
      ADD_FAILURE() << location;
    } catch (const NetworkError& error) {
      EXPECT_FALSE(error.retryable());
      EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos);
    }
  }
  EXPECT_EQ(redirected("http://127.0.0.1:5000/", "http://127.0.0.1:5000/x").redirects, 1);
  EXPECT_EQ(redirected("https://a.com/", "/x", 302, 4).redirects, 5);
  EXPECT_THROW(redirected("https://a.com/", "/x", 302, 5), NetworkError);
}

std::optional<Proxy> proxy(const std::string& url, std::map<std::string, std::string> variables) {
  return proxy_for(parse_url(url, "test"),
                   [&](const std::string& name) -> std::optional<std::string> {
                     const auto found = variables.find(name);
                     if (found == variables.end()) return std::nullopt;
                     return found->second;
                   });
}

TEST(Proxy, IsChosenByScheme) {
  EXPECT_FALSE(proxy("https://a.com", {{"HTTP_PROXY", "http://p:1"}}));
  EXPECT_FALSE(proxy("http://a.com", {{"HTTPS_PROXY", "http://p:1"}}));
  EXPECT_EQ(proxy("https://a.com", {{"HTTPS_PROXY", "http://p:1"}})->url.origin(), "http://p:1");
  EXPECT_EQ(proxy("https://a.com", {{"https_proxy", "p:3128"}})->url.origin(), "http://p:3128");
  EXPECT_EQ(proxy("http://a.com", {{"ALL_PROXY", "https://p"}})->url.origin(), "https://p");
  EXPECT_FALSE(proxy("http://127.0.0.1:9001", {{"HTTP_PROXY", "http://p:1"}}));
}

TEST(Proxy, UserAndPasswordAreTakenOutOfTheUrl) {
  const auto found = proxy("https://a.com", {{"HTTPS_PROXY", "http://us%40er:p%3Ass@p:1/"}});
  EXPECT_EQ(found->url.origin(), "http://p:1");
  EXPECT_EQ(found->authorization->reveal(), "Basic dXNAZXI6cDpzcw==");
  EXPECT_THROW(proxy("https://a.com", {{"HTTPS_PROXY", "socks5://p:1"}}), Error);
}

TEST(Proxy, NoProxyExempts) {
  const auto exempt = [](const std::string& list, const std::string& url = "https://s3.a.com") {
    return !proxy(url, {{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", list}});
  };
  for (const char* list :
       {"*", "a.com", ".a.com", "S3.A.com", "x, a.com ,y", "*.a.com", "a.com:443"}) {
    EXPECT_TRUE(exempt(list)) << list;
  }
  for (const char* list : {"", ",", "b.com", "3.a.com", "com.", "a.com:80", "s3.a.com.x"}) {
    EXPECT_FALSE(exempt(list)) << list;
  }
  EXPECT_TRUE(exempt("10.0.0.1", "https://10.0.0.1"));
}

}  // namespace
}  // namespace lambert
