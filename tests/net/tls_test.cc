#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "loopback.h"
#include "net/http_client.h"
#include "net/network_error.h"
#include "net/openssl_init.h"

namespace lambert {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, id, value);
  ASSERT_NE(extension, nullptr);
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

// A certificate for `names` ("DNS:a.example,IP:127.0.0.1"), or of an authority if there are none.
Certificate make_certificate(EVP_PKEY* key, const char* names, X509* issuer, EVP_PKEY* issuer_key,
                             long seconds_left = 3600) {
  Certificate certificate(::X509_new());
  X509* const x509 = certificate.get();
  ::X509_set_version(x509, X509_VERSION_3);
  static long serial = 0;
  ::ASN1_INTEGER_set(::X509_get_serialNumber(x509), ++serial);
  ::X509_gmtime_adj(::X509_getm_notBefore(x509), -7200);
  ::X509_gmtime_adj(::X509_getm_notAfter(x509), seconds_left);
  ::X509_set_pubkey(x509, key);
  const auto* name =
      reinterpret_cast<const unsigned char*>(names != nullptr ? "leaf" : "authority");
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(x509), "CN", MBSTRING_ASC, name, -1, -1, 0);
  X509* const signer = issuer != nullptr ? issuer : x509;
  ::X509_set_issuer_name(x509, ::X509_get_subject_name(signer));
  add_extension(x509, signer, NID_basic_constraints,
                names != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
  if (names != nullptr) add_extension(x509, signer, NID_subject_alt_name, names);
  ::X509_sign(x509, issuer_key, ::EVP_sha256());
  return certificate;
}

// An authority whose certificate stands in a file, and a TLS server with a certificate of it.
class Tls : public testing::Test {
 protected:
  Tls() {
    start_openssl();
    std::signal(SIGPIPE, SIG_IGN);  // SSL_write of the server's side raises it
    std::FILE* file = std::fopen(authority_file_.c_str(), "w");
    ::PEM_write_X509(file, authority_.get());
    std::fclose(file);
  }
  ~Tls() override { std::filesystem::remove(authority_file_); }

  // Serves "HTTP/1.1 200" with the body "tls" for each request.
  std::unique_ptr<Loopback> serve(const char* names, long seconds_left = 3600,
                                  int max_version = TLS1_3_VERSION, bool cut_off = false) {
    leaf_ = make_certificate(key_.get(), names, authority_.get(), key_.get(), seconds_left);
    context_.reset(::SSL_CTX_new(::TLS_server_method()));
    ::SSL_CTX_set_security_level(context_.get(), 0);
    ::SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    ::SSL_CTX_set_max_proto_version(context_.get(), max_version);
    ::SSL_CTX_use_certificate(context_.get(), leaf_.get());
    ::SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    return std::make_unique<Loopback>([this, cut_off](Peer& peer) {
      const std::unique_ptr<SSL, Free> ssl(::SSL_new(context_.get()));
      ::SSL_set_fd(ssl.get(), peer.descriptor());
      if (::SSL_accept(ssl.get()) != 1) return;
      const char* name = ::SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
      server_name_ = name != nullptr ? name : "";
      std::string received;
      char buffer[4096];
      for (int got = 0; (got = ::SSL_read(ssl.get(), buffer, sizeof buffer)) > 0;) {
        received.append(buffer, static_cast<std::size_t>(got));
        if (!received.ends_with("\r\n\r\n")) continue;
        received.clear();
        const std::string response = cut_off ? "HTTP/1.1 200 OK\r\n\r\ntl"
                                             : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntls";
        ::SSL_write(ssl.get(), response.data(), static_cast<int>(response.size()));
        if (cut_off) return;  // without close_notify
      }
    });
  }

  HttpConnection client(const Loopback& server, const std::string& host) {
    Url url = server.url();
    url.https = true;
    url.host = host;
    return HttpConnection(url, {.tls = std::make_shared<TlsClient>(
                                    [this](const std::string& name) -> std::optional<std::string> {
                                      if (name == "AWS_CA_BUNDLE") return trusted_file_;
                                      return std::nullopt;
                                    })});
  }

  void expect_refused(const Loopback& server, const std::string& host, const std::string& part) {
    HttpConnection connection = client(server, host);
    try {
      connection.request({}, 1000, kNoDeadline);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  const Key key_{::EVP_EC_gen("P-256")};
  const Certificate authority_ = make_certificate(key_.get(), nullptr, nullptr, key_.get());
  const std::string authority_file_ =
      testing::TempDir() + "lambert_authority_" + std::to_string(::getpid()) + ".pem";
  std::string trusted_file_ = authority_file_;
  std::string server_name_;

 private:
  Certificate leaf_;
  std::unique_ptr<SSL_CTX, Free> context_;
};

TEST_F(Tls, SpeaksWithAServerOfThatName) {
  const auto server = serve("DNS:localhost");
  HttpConnection connection = client(*server, "localhost");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(connection.request({}, 1000, kNoDeadline).body, "tls");
  }
  EXPECT_EQ(server->connections(), 1);  // session tickets do not look like an unasked response
  EXPECT_EQ(server_name_, "localhost");
}

TEST_F(Tls, SpeaksTls12AndWithAnAddress) {
  const auto server = serve("IP:127.0.0.1", 3600, TLS1_2_VERSION);
  HttpConnection connection = client(*server, "127.0.0.1");
  EXPECT_EQ(connection.request({}, 1000, kNoDeadline).body, "tls");
  EXPECT_EQ(connection.request({}, 1000, kNoDeadline).body, "tls");
  EXPECT_EQ(server_name_, "");  // no address is sent as a name
}

TEST_F(Tls, AnotherNameIsRefused) {
  for (const char* names : {"DNS:example.com", "DNS:*.localhost", "DNS:localhost.example.com",
                            "IP:127.0.0.1", "DNS:l*"}) {
    const auto server = serve(names);
    expect_refused(*server, "localhost", "hostname mismatch");
  }
  const auto server = serve("DNS:127.0.0.1,IP:127.0.0.2");
  expect_refused(*server, "127.0.0.1", "IP address mismatch");
}

TEST_F(Tls, AnExpiredCertificateIsRefused) {
  const auto server = serve("DNS:localhost", -60);
  expect_refused(*server, "localhost", "certificate has expired");
}

TEST_F(Tls, AnAuthorityThatIsNotTrustedIsRefused) {
  const auto server = serve("DNS:localhost");
  const Key other_key(::EVP_EC_gen("P-256"));
  const Certificate other = make_certificate(other_key.get(), nullptr, nullptr, other_key.get());
  const std::string path = authority_file_ + ".other";
  std::FILE* file = std::fopen(path.c_str(), "w");
  ::PEM_write_X509(file, other.get());
  std::fclose(file);
  trusted_file_ = path;
  expect_refused(*server, "localhost", "certificate is not trusted");
  std::filesystem::remove(path);
}

TEST_F(Tls, ABundleThatCannotBeReadIsAnErrorAndNotIgnored) {
  const auto server = serve("DNS:localhost");
  trusted_file_ = "/nonexistent/bundle.pem";
  expect_refused(*server, "localhost", "AWS_CA_BUNDLE: no certificates can be read from");
}

TEST_F(Tls, Tls11IsRefused) {
  const auto server = serve("DNS:localhost", 3600, TLS1_1_VERSION);
  expect_refused(*server, "localhost", "TLS handshake failed");
}

TEST_F(Tls, AServerThatSpeaksNoTlsIsRefused) {
  const Loopback server([](Peer& peer) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  expect_refused(server, "localhost", "TLS handshake failed");
  const Loopback silent([](Peer&) {});
  expect_refused(silent, "localhost", "localhost");
}

// A body that ends with the connection is whole only if the end was announced.
TEST_F(Tls, AConnectionThatIsCutOffIsAnError) {
  const auto server = serve("DNS:localhost", 3600, TLS1_3_VERSION, true);
  expect_refused(*server, "localhost", "cut off");
}

TEST_F(Tls, GoesThroughAProxy) {
  const auto server = serve("DNS:localhost");
  std::string request;
  Loopback proxy([&](Peer& peer) {
    request = peer.read_request();
    const int out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server->port());
    ASSERT_EQ(::connect(out, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
    for (pollfd ends[2] = {{peer.descriptor(), POLLIN, 0}, {out, POLLIN, 0}};
         ::poll(ends, 2, -1) > 0;) {
      const int from = ends[0].revents != 0 ? 0 : 1;
      char buffer[4096];
      const ssize_t got = ::recv(ends[from].fd, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      ::send(ends[1 - from].fd, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL);
    }
    ::close(out);
  });
  Url url{true, "localhost", server->port()};
  HttpConnection connection(
      url, {.tls = std::make_shared<TlsClient>(
                [this](const std::string&) -> std::optional<std::string> { return trusted_file_; }),
            .proxy = Proxy{proxy.url(), std::nullopt}});
  EXPECT_EQ(connection.request({}, 1000, kNoDeadline).body, "tls");
  EXPECT_EQ(connection.request({}, 1000, kNoDeadline).body, "tls");
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_TRUE(request.starts_with("CONNECT localhost:" + std::to_string(server->port())));
}

}  // namespace
}  // namespace lambert
