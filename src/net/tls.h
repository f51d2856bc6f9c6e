// TLS 1.2 and 1.3, as a client (OpenSSL 3).
#pragma once

#include <memory>
#include <string>

#include "net/connection.h"
#include "net/environment.h"

namespace lambert {

// Certificates that are trusted, and the settings of all connections. Thread-safe. Nothing of
// OpenSSL runs before the first handshake.
class TlsClient {
 public:
  // Authorities come from the file that AWS_CA_BUNDLE or SSL_CERT_FILE names, else from where Linux
  // distributions keep them.
  explicit TlsClient(Environment environment);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Speaks TLS over `transport` with a peer whose certificate must be valid for `host`, a name or
  // an address. Throws NetworkError, kNotFound when there are no certificates of authorities.
  std::unique_ptr<Connection> handshake(std::unique_ptr<Connection> transport,
                                        const std::string& host, TimePoint deadline);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace lambert
