#include "net/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/error.h"
#include "net/openssl_init.h"

namespace lambert {

namespace {

void check(bool done) {
  if (!done) fail(ErrorCode::kInternal, "OpenSSL: a digest failed");
}

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Sha256Digest sha256(std::string_view text) {
  start_openssl();
  Sha256Digest digest;
  check(::SHA256(data_of(text), text.size(), digest.data()) != nullptr);
  return digest;
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view text) {
  start_openssl();
  Sha256Digest digest;
  unsigned size = 0;
  check(::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(text), text.size(),
               digest.data(), &size) != nullptr);
  return digest;
}

void Digest::Free::operator()(void* context) const {
  ::EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

Digest::Digest(DigestKind kind) {
  start_openssl();
  EVP_MD_CTX* const context = ::EVP_MD_CTX_new();
  context_.reset(context);
  check(context != nullptr &&
        ::EVP_DigestInit_ex(context, kind == DigestKind::kSha1 ? ::EVP_sha1() : ::EVP_sha256(),
                            nullptr) == 1);
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::span<const std::byte> bytes) {
  check(::EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size()) ==
        1);
}

std::string Digest::finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  check(::EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), digest, &size) == 1);
  return {reinterpret_cast<const char*>(digest), size};
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with NUL
  const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data_of(bytes),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace lambert
