#include "net/openssl_init.h"

#include <openssl/crypto.h>

#include "base/error.h"

namespace lambert {

void start_openssl() {
  static const int started =
      ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  if (started != 1) fail(ErrorCode::kInternal, "OpenSSL cannot be started");
}

}  // namespace lambert
