#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "net/network_error.h"
#include "net/openssl_init.h"
#include "net/url.h"

namespace lambert {

namespace {

constexpr std::array kAuthorityFiles = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Amazon Linux, Fedora, Red Hat
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the same, where the link is missing
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",
};

struct FreeSsl {
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
};

// The oldest entry of this thread's error queue, which it empties.
std::string openssl_error() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  const char* reason = code != 0 ? ::ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "unknown error";
}

void load_authorities(SSL_CTX* context, const Environment& environment) {
  for (const char* name : {"AWS_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const auto path = environment(name);
    if (!path) continue;
    if (::SSL_CTX_load_verify_file(context, path->c_str()) == 1) return;
    fail(ErrorCode::kNotFound, name, ": no certificates can be read from ", quote(*path, 400), ": ",
         openssl_error());
  }
  for (const char* path : kAuthorityFiles) {
    if (::access(path, R_OK) == 0 && ::SSL_CTX_load_verify_file(context, path) == 1) return;
  }
  ::ERR_clear_error();
  std::string tried;
  for (const char* path : kAuthorityFiles) tried += std::string(tried.empty() ? "" : ", ") + path;
  fail(ErrorCode::kNotFound, "no certificates of authorities for TLS: looked for ", tried,
       "; install ca-certificates, or name a PEM file in SSL_CERT_FILE");
}

std::shared_ptr<SSL_CTX> make_context(const Environment& environment) {
  start_openssl();
  ::ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_client_method()), ::SSL_CTX_free);
  if (!context) fail(ErrorCode::kInternal, "TLS cannot be set up: ", openssl_error());
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  load_authorities(context.get(), environment);
  return context;
}

// TLS through two memory buffers: OpenSSL never sees a descriptor, so that deadlines, cancellation
// and the absence of SIGPIPE are the transport's, and TLS within TLS (a proxy) needs nothing else.
class TlsConnection final : public Connection {
 public:
  TlsConnection(SSL_CTX* context, std::unique_ptr<Connection> transport, const std::string& host)
      : transport_(std::move(transport)), host_(host), ssl_(::SSL_new(context)) {
    in_ = ::BIO_new(::BIO_s_mem());
    out_ = ::BIO_new(::BIO_s_mem());
    if (!ssl_ || in_ == nullptr || out_ == nullptr) {
      ::BIO_free(in_);
      ::BIO_free(out_);
      fail(ErrorCode::kLimitExceeded, "no memory for a TLS connection");
    }
    ::SSL_set_bio(ssl_.get(), in_, out_);  // owns both
    static constexpr unsigned char kAlpn[] = "\x08http/1.1";
    ::SSL_set_alpn_protos(ssl_.get(), kAlpn, sizeof kAlpn - 1);
    ::SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool named =
        is_ip_address(host)
            ? ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl_.get()), host.c_str()) == 1
            : ::SSL_set1_host(ssl_.get(), host.c_str()) == 1 &&
                  ::SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1;
    if (!named) fail(ErrorCode::kInvalidArgument, quote(host, 255), ": no host name for TLS");
  }

  void handshake(TimePoint deadline) {
    for (;;) {
      ::ERR_clear_error();
      const int status = ::SSL_connect(ssl_.get());
      const int error = status == 1 ? SSL_ERROR_NONE : ::SSL_get_error(ssl_.get(), status);
      flush(deadline);
      if (error == SSL_ERROR_NONE) return;
      if (error != SSL_ERROR_WANT_READ) fail_handshake();
      if (!fill(deadline)) {
        throw ConnectionLost(quote(host_, 255) +
                             ": closed the connection during the TLS handshake");
      }
    }
  }

  std::size_t read(std::span<std::byte> buffer, TimePoint deadline) override {
    const int size = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
    for (;;) {
      ::ERR_clear_error();
      const int got = ::SSL_read(ssl_.get(), buffer.data(), size);
      if (got > 0) return static_cast<std::size_t>(got);
      const int error = ::SSL_get_error(ssl_.get(), got);
      if (error == SSL_ERROR_ZERO_RETURN) return 0;
      if (error != SSL_ERROR_WANT_READ) {
        network_fail(Retry::kYes, quote(host_, 255), ": TLS: ", openssl_error());
      }
      flush(deadline);
      if (!fill(deadline)) {  // not the same as an end that the peer announced
        throw ConnectionLost(quote(host_, 255) + ": the TLS connection was cut off");
      }
    }
  }

  void write(std::span<const std::byte> bytes, TimePoint deadline) override {
    constexpr std::size_t kPiece = std::size_t{256} << 10;  // bounds what the buffer grows to
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min(bytes.size(), kPiece));
      ::ERR_clear_error();
      if (::SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size())) <= 0) {
        network_fail(Retry::kYes, quote(host_, 255), ": TLS: ", openssl_error());
      }
      flush(deadline);
      bytes = bytes.subspan(piece.size());
    }
  }

  bool is_quiet() override {
    if (::SSL_pending(ssl_.get()) > 0) return false;
    if (transport_->is_quiet() && ::BIO_ctrl_pending(in_) == 0) return true;
    // Session tickets may have come; they are no data.
    try {
      if (!transport_->is_quiet() && !fill(kNoDeadline)) return false;
    } catch (const Error&) {
      return false;
    }
    char byte = 0;
    ::ERR_clear_error();
    const int got = ::SSL_peek(ssl_.get(), &byte, 1);
    return got <= 0 && ::SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ;
  }

 private:
  [[noreturn]] void fail_handshake() {
    const long verified = ::SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) {
      ::ERR_clear_error();
      network_fail(Retry::kNo, quote(host_, 255), ": its TLS certificate is not trusted: ",
                   ::X509_verify_cert_error_string(verified));
    }
    network_fail(Retry::kNo, quote(host_, 255), ": TLS handshake failed: ", openssl_error());
  }

  // Moves what the peer sent to OpenSSL; false at the end of the stream.
  bool fill(TimePoint deadline) {
    const std::size_t got = transport_->read(buffer_, deadline);
    if (got == 0) return false;
    if (::BIO_write(in_, buffer_.data(), static_cast<int>(got)) != static_cast<int>(got)) {
      fail(ErrorCode::kLimitExceeded, "no memory for a TLS connection");
    }
    return true;
  }

  // Moves what OpenSSL has to say to the peer.
  void flush(TimePoint deadline) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    if (size <= 0) return;
    transport_->write(std::as_bytes(std::span(data, static_cast<std::size_t>(size))), deadline);
    static_cast<void>(BIO_reset(out_));
  }

  std::unique_ptr<Connection> transport_;
  std::string host_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_ = nullptr;   // from the peer; owned by ssl_, as out_
  BIO* out_ = nullptr;  // to the peer
  std::array<std::byte, std::size_t{32} << 10> buffer_;
};

}  // namespace

struct TlsClient::Context {
  Environment environment;
  std::mutex mutex;
  std::shared_ptr<SSL_CTX> context;  // made under the mutex by the first handshake that needs it
};

TlsClient::TlsClient(Environment environment) : context_(std::make_unique<Context>()) {
  context_->environment = std::move(environment);
}

TlsClient::~TlsClient() = default;

std::unique_ptr<Connection> TlsClient::handshake(std::unique_ptr<Connection> transport,
                                                 const std::string& host, TimePoint deadline) {
  {
    const std::lock_guard lock(context_->mutex);
    if (!context_->context) context_->context = make_context(context_->environment);
  }
  auto connection =
      std::make_unique<TlsConnection>(context_->context.get(), std::move(transport), host);
  connection->handshake(deadline);
  return connection;
}

}  // namespace lambert
