// OpenSSL, started at its first use.
#pragma once

namespace lambert {

// To be called before any other function of OpenSSL: keeps it from reading the host's openssl.cnf,
// which was written for another build and may name modules that a static binary cannot load, and
// from cleaning up at exit under threads that still run. Thread-safe, and cheap after the first.
void start_openssl();

}  // namespace lambert
