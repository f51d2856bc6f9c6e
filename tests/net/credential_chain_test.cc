#include "net/credential_chain.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "loopback.h"
#include "net/credential_json.h"

namespace lambert {
namespace {

using Variables = std::map<std::string, std::string>;

Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

class CredentialChains : public testing::Test {
 protected:
  CredentialChains() {
    home_ = std::filesystem::path(testing::TempDir()) /
            ("lambert-aws-" + std::to_string(::getpid()) + "-" +
             testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(home_ / ".aws" / "sso" / "cache");
  }
  ~CredentialChains() override { std::filesystem::remove_all(home_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(home_ / ".aws" / name) << text;
  }
  AwsCredentials find(Variables more = {}, const std::string& profile = "",
                      bool command_line = false) const {
    return chain(std::move(more), profile, command_line).get();
  }
  CredentialChain chain(Variables more, const std::string& profile, bool command_line) const {
    more.insert({{"HOME", home_.string()}, {"AWS_EC2_METADATA_DISABLED", "true"}});
    return CredentialChain({environment_of(more), profile, command_line, {&clock_}});
  }
  std::string refused(Variables more = {}, const std::string& profile = "",
                      bool command_line = false) const {
    try {
      find(std::move(more), profile, command_line);
    } catch (const Error& error) {
      EXPECT_EQ(std::string_view(error.what()).find("canary"), std::string_view::npos)
          << error.what();
      return error.what();
    }
    return "found";
  }
  static void expect_part(const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), message.npos) << message;
  }

  std::filesystem::path home_;
  const TestClock clock_;  // 2023-11-14 22:13:20
};

constexpr const char* kNoKeys = "no credentials for AWS";

TEST_F(CredentialChains, TheEnvironmentGoesFirst) {
  write("credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=canary\n");
  const AwsCredentials keys = find({{"AWS_ACCESS_KEY_ID", "ENV"},
                                    {"AWS_SECRET_ACCESS_KEY", "canary-1"},
                                    {"AWS_SESSION_TOKEN", "canary-2"}});
  EXPECT_EQ(keys.access_key_id, "ENV");
  EXPECT_EQ(keys.secret_access_key.reveal(), "canary-1");
  EXPECT_EQ(keys.session_token.reveal(), "canary-2");
  EXPECT_EQ(find().access_key_id, "FILE");
  expect_part(refused({{"AWS_ACCESS_KEY_ID", "ENV"}}), "AWS_SECRET_ACCESS_KEY: is not set");
}

TEST_F(CredentialChains, ProfilesAreOfBothFiles) {
  write("credentials",
        "# keys\n[default]\naws_access_key_id = A\naws_secret_access_key = canary\n"
        "[work]\naws_access_key_id=W\naws_secret_access_key=canary\naws_session_token=canary-t\n");
  write("config",
        "[profile work]\nregion = eu-west-3\ns3 =\n  addressing_style = path\n"
        "[profile half]\naws_access_key_id = H\n[profile none]\nregion = x\n");
  EXPECT_EQ(find().access_key_id, "A");
  EXPECT_EQ(find({{"AWS_PROFILE", "work"}}).access_key_id, "W");
  EXPECT_EQ(find({}, "work").session_token.reveal(), "canary-t");
  // One that is named goes before the environment.
  EXPECT_EQ(
      find({{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "canary"}}, "work").access_key_id,
      "W");
  EXPECT_EQ(chain({}, "work", false).region(), "eu-west-3");
  EXPECT_EQ(chain({{"AWS_REGION", "r"}}, "work", false).region(), "r");
  expect_part(refused({}, "half"), "no aws_secret_access_key");
  expect_part(refused({}, "other"), "\"other\" is neither in");
  expect_part(refused({{"AWS_PROFILE", "other"}}), "\"other\" is neither in");
  expect_part(refused({}, "none"), kNoKeys);
  write("config", "[profile work\n");
  expect_part(refused({}, "work"), "line 1: a section without ]");
}

std::string sts_reply(const std::string& action) {
  const std::string body = "<" + action + "Response><" + action +
                           "Result><Credentials><AccessKeyId>ROLE</AccessKeyId>"
                           "<SecretAccessKey>canary</SecretAccessKey><SessionToken>canary-t"
                           "</SessionToken><Expiration>2023-11-14T23:13:20Z</Expiration>"
                           "</Credentials></" +
                           action + "Result></" + action + "Response>";
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(CredentialChains, ARoleIsAssumedWithTheKeysOfItsSource) {
  std::vector<std::string> requests;
  Loopback sts([&](Peer& peer) {
    requests.push_back(peer.read_request());
    peer.send(sts_reply("AssumeRole"));
  });
  write("config",
        "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
        "external_id = x/y\nrole_session_name = me\n"
        "[profile base]\naws_access_key_id = B\naws_secret_access_key = canary\n"
        "[profile a]\nrole_arn = arn\nsource_profile = b\n[profile b]\nrole_arn = arn\n"
        "source_profile = a\n[profile mfa]\nrole_arn = arn\nmfa_serial = 1\n"
        "[profile lone]\nrole_arn = arn\n");
  const Variables variables = {{"AWS_ENDPOINT_URL_STS", sts.url().origin()}};
  const AwsCredentials keys = find(variables, "role");
  EXPECT_EQ(keys.access_key_id, "ROLE");
  EXPECT_EQ(keys.session_token.reveal(), "canary-t");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests[0].ends_with(
      "\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
      "&RoleSessionName=me&ExternalId=x%2Fy"))
      << requests[0];
  EXPECT_NE(requests[0].find("Credential=B/20231114/us-east-1/sts/aws4_request"),
            std::string::npos);
  expect_part(refused(variables, "a"), "leads back");
  expect_part(refused(variables, "mfa"), "mfa_serial");
  expect_part(refused(variables, "lone"), "neither source_profile");
}

TEST_F(CredentialChains, KeysAreFetchedAnewBeforeTheyExpire) {
  std::atomic<int> asked = 0;
  Loopback sts([&](Peer& peer) {
    peer.read_request();
    ++asked;
    peer.send(sts_reply("AssumeRoleWithWebIdentity"));
  });
  write("token", "canary-jwt\n");
  CredentialChain chain({environment_of({{"AWS_WEB_IDENTITY_TOKEN_FILE", home_ / ".aws" / "token"},
                                         {"AWS_ROLE_ARN", "arn"},
                                         {"AWS_ENDPOINT_URL_STS", sts.url().origin()}}),
                         "",
                         false,
                         {&clock_}});
  EXPECT_EQ(chain.get().access_key_id, "ROLE");
  EXPECT_EQ(chain.get().access_key_id, "ROLE");
  EXPECT_EQ(asked, 1);
  clock_.advance(std::chrono::minutes(56));  // they are good for an hour
  chain.get();
  EXPECT_EQ(asked, 2);
}

TEST_F(CredentialChains, StsSaysWhyARoleIsNotAssumed) {
  Loopback sts([&](Peer& peer) {
    peer.read_request();
    peer.send(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\n<ErrorResponse><Error><Code>"
        "AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>    ");
  });
  write("token", "canary-jwt");
  const std::string message = refused({{"AWS_WEB_IDENTITY_TOKEN_FILE", home_ / ".aws" / "token"},
                                       {"AWS_ROLE_ARN", "arn:x"},
                                       {"AWS_ENDPOINT_URL_STS", sts.url().origin()}});
  expect_part(message, "\"arn:x\" was not assumed: status 403, \"AccessDenied\": \"not you\"");
}

TEST_F(CredentialChains, AContainersEndpointIsLoopbackOrHttps) {
  for (const char* const uri :
       {"http://example.com/x", "http://169.254.169.254/x", "http://10.0.0.1/", "http://0x7f.1/",
        "http://169.254.170.2.nip.io/", "ftp://127.0.0.1/", "http://user@127.0.0.1/"}) {
    expect_part(refused({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}}),
                "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  }
  Loopback container([](Peer& peer) {
    EXPECT_NE(peer.read_request().find("Authorization: canary-pod\r\n"), std::string::npos);
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n"
        R"({"AccessKeyId":"C","SecretAccessKey":"canary","x":  1})");
  });
  write("pod", "canary-pod\n");
  EXPECT_EQ(find({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url().origin() + "/keys"},
                  {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_ / ".aws" / "pod"}})
                .access_key_id,
            "C");
}

TEST_F(CredentialChains, AnInstanceGivesTheKeysOfItsRole) {
  std::vector<std::string> lines;
  Loopback instance([&](Peer& peer) {
    for (const std::string body :
         {"token-1", "the role\n", R"({"AccessKeyId":"I","SecretAccessKey":"canary"})"}) {
      const std::string request = peer.read_request();
      lines.push_back(request.substr(0, request.find(" HTTP")));
      if (lines.size() > 1) {
        EXPECT_NE(request.find("X-aws-ec2-metadata-token: token-1\r\n"), request.npos);
      }
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    }
  });
  CredentialChain chain(
      {environment_of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url().origin()}}),
       "",
       false,
       {&clock_}});
  EXPECT_EQ(chain.get().access_key_id, "I");
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                       "GET /latest/meta-data/iam/security-credentials/the%20role"}));
}

TEST_F(CredentialChains, NoInstanceIsNoError) {
  Loopback stalls([](Peer& peer) {
    peer.read_request();
    peer.stall();
  });
  CredentialChain chain(
      {environment_of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", stalls.url().origin()}}),
       "",
       false,
       {&clock_}});
  EXPECT_THROW(chain.get(), Error);
}

TEST_F(CredentialChains, TheCommandLineMayUseSsoAndPrograms) {
  Loopback portal([](Peer& peer) {
    const std::string request = peer.read_request();
    EXPECT_TRUE(request.starts_with(
        "GET /federation/credentials?role_name=Read%20Only&account_id=123 HTTP/1.1\r\n"))
        << request;
    EXPECT_NE(request.find("x-amz-sso_bearer_token: canary-sso\r\n"), request.npos);
    const std::string body = R"({"roleCredentials":{"accessKeyId":"S","secretAccessKey":"canary",)"
                             R"("sessionToken":"canary-t","expiration":1700003600000}})";
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body);
  });
  write("config",
        "[profile sso]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Read Only\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x\n"
        "[profile program]\ncredential_process = printf "
        "'{\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"canary\"}'\n"
        "[profile broken]\ncredential_process = exit 7\n"
        "[profile chatty]\ncredential_process = yes canary | head -c 100000\n");
  const Variables variables = {{"AWS_ENDPOINT_URL_SSO", portal.url().origin()}};
  expect_part(refused(variables, "sso", true), "aws sso login --sso-session corp");
  const std::string file =
      "sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";  // SHA-1 of "corp"
  write(file, R"({"accessToken":"canary-sso","expiresAt":"2023-11-14T00:00:00Z"})");
  expect_part(refused(variables, "sso", true), "has expired");
  write(file, R"({"accessToken":"canary-sso","expiresAt":"2023-11-15T00:00:00Z"})");
  const AwsCredentials keys = find(variables, "sso", true);
  EXPECT_EQ(keys.access_key_id, "S");
  EXPECT_EQ(keys.expires, WallTime(std::chrono::seconds(1'700'003'600)));
  expect_part(refused(variables, "sso", false), "which only the command line may");

  EXPECT_EQ(find({}, "program", true).access_key_id, "P");
  expect_part(refused({}, "program", false), "which only the command line may");
  expect_part(refused({}, "broken", true), "ended with 7");
  expect_part(refused({}, "chatty", true), "more than");
}

TEST_F(CredentialChains, SaysWhereItLooked) {
  const std::string message = refused();
  for (const char* const part : {kNoKeys, "AWS_ACCESS_KEY_ID", "\"default\"", "instance"}) {
    expect_part(message, part);
  }
}

TEST(Iso8601, TimesOfAws) {
  const WallTime time(std::chrono::seconds(1'700'000'000));
  EXPECT_EQ(parse_iso8601("2023-11-14T22:13:20Z"), time);
  EXPECT_EQ(parse_iso8601("2023-11-14T22:13:20.123Z"), time);
  EXPECT_EQ(parse_iso8601("2023-11-14T22:13:20+00:00"), time);
  EXPECT_EQ(parse_iso8601("2023-11-14T22:13:20UTC"), time);
  for (const char* const text :
       {"", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "2023-02-30T22:13:20Z",
        "2023-11-14T24:13:20Z", "2023-11-14 22:13:20Z", "9999-11-14T22:13:20Z",
        "2023-11-14T22:13:20+01:00", "-023-11-14T22:13:20Z", "0623-11-14T22:13:20Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

}  // namespace
}  // namespace lambert
