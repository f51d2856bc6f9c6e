#include "store/hub_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"
#include "net/ascii.h"
#include "net/digest.h"

namespace lambert {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxHubText = std::size_t{64} << 10;

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

bool is_set(const std::optional<std::string>& value) {
  const std::string text = ascii_lower(value.value_or(""));
  return text == "1" || text == "true" || text == "yes" || text == "on";
}

[[noreturn]] void fail_with_errno(const std::string& path) {
  fail(ErrorCode::kIo, quote(path, 400), ": ", std::strerror(errno),
       "; set HF_HOME to a directory that can be written to");
}

void make_directories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    fail(ErrorCode::kIo, quote(path, 400), ": ", error.message(),
         "; set HF_HOME to a directory that can be written to");
  }
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail_with_errno(path);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_with_errno(path);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

// A name beside `path` that no other process and no other thread of this one uses.
std::string beside(const std::string& path) {
  static std::atomic<unsigned> names{0};
  return path + "." + std::to_string(::getpid()) + "-" + std::to_string(names++);
}

void rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_with_errno(to);
}

// The digest that the etag is, if it is one: SHA-256 of large files, Git's SHA-1 of others.
class BlobDigest {
 public:
  BlobDigest(std::string_view etag, std::uint64_t size) : etag_(etag) {
    if (is_hex(etag, 64)) digest_.emplace(DigestKind::kSha256);
    if (is_hex(etag, 40)) {
      digest_.emplace(DigestKind::kSha1);
      const std::string head = "blob " + std::to_string(size) + '\0';
      digest_->update(std::as_bytes(std::span(head)));
    }
  }
  void update(std::span<const std::byte> bytes) {
    if (digest_) digest_->update(bytes);
  }
  bool matches() { return !digest_ || hex(digest_->finish()) == ascii_lower(etag_); }

 private:
  std::string_view etag_;
  std::optional<Digest> digest_;
};

}  // namespace

HubEnvironment read_hub_environment(const Environment& environment) {
  HubEnvironment hub;
  if (const auto endpoint = environment("HF_ENDPOINT")) hub.endpoint = *endpoint;
  while (hub.endpoint.ends_with('/')) hub.endpoint.pop_back();
  const std::string home = environment("HF_HOME").value_or(
      environment("XDG_CACHE_HOME").value_or(environment("HOME").value_or("/tmp") + "/.cache") +
      "/huggingface");
  hub.cache = environment("HF_HUB_CACHE").value_or(home + "/hub");
  hub.offline =
      is_set(environment("HF_HUB_OFFLINE")) || is_set(environment("TRANSFORMERS_OFFLINE"));
  if (const auto token = environment("HF_TOKEN")) {
    hub.token = Secret(*token);
  } else {
    const std::string path = environment("HF_TOKEN_PATH").value_or(home + "/token");
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) {
      hub.token = Secret(std::string(ascii_trim(read_file(path, kMaxHubText))));
    }
  }
  return hub;
}

HubCache::HubCache(const std::string& cache, const std::string& repository) {
  std::string name = "models--" + repository;
  if (const std::size_t slash = name.find('/'); slash != name.npos) name.replace(slash, 1, "--");
  directory_ = cache + "/" + name;
  locks_ = cache + "/.locks/" + name;
}

std::string HubCache::snapshot(const std::string& commit) const {
  return directory_ + "/snapshots/" + commit;
}

std::optional<std::string> HubCache::commit_of(const std::string& revision) const {
  std::error_code ignored;
  if (is_hex(revision, 40) && fs::is_directory(snapshot(revision), ignored)) return revision;
  const std::string path = directory_ + "/refs/" + revision;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  std::string commit(ascii_trim(read_file(path, kMaxHubText)));
  if (!is_hex(commit, 40) || !fs::is_directory(snapshot(commit), ignored)) return std::nullopt;
  return commit;
}

void HubCache::set_commit(const std::string& revision, const std::string& commit) const {
  if (revision == commit) return;
  const std::string path = directory_ + "/refs/" + revision;
  make_directories(fs::path(path).parent_path().string());
  const std::string made = beside(path);
  {
    const Descriptor file(made, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(file.get(), std::as_bytes(std::span(commit)), made);
  }
  rename_file(made, path);
}

bool HubCache::has_file(const std::string& commit, const std::string& name) const {
  std::error_code ignored;
  return fs::is_regular_file(snapshot(commit) + "/" + name, ignored);
}

void HubCache::add_file(const std::string& commit, const std::string& name, const std::string& etag,
                        std::uint64_t size,
                        const std::function<void(const ByteSink&)>& download) const {
  for (const std::string& path : {directory_ + "/blobs", snapshot(commit), locks_}) {
    make_directories(path);
  }
  const std::string lock = locks_ + "/" + etag + ".lock";
  const Descriptor locked(lock, O_RDWR | O_CREAT);
  while (::flock(locked.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fail_with_errno(lock);
  }
  std::error_code ignored;
  const std::string blob = directory_ + "/blobs/" + etag;
  if (!fs::is_regular_file(blob, ignored)) download_blob(etag, size, download);
  const std::string link = snapshot(commit) + "/" + name, target = "../../blobs/" + etag;
  const std::string made = beside(link);
  if (::symlink(target.c_str(), made.c_str()) != 0) fail_with_errno(made);
  rename_file(made, link);
}

void HubCache::download_blob(const std::string& etag, std::uint64_t size,
                             const std::function<void(const ByteSink&)>& download) const {
  const std::string blob = directory_ + "/blobs/" + etag, partial = blob + ".incomplete";
  const Descriptor file(partial, O_WRONLY | O_CREAT | O_TRUNC);
  BlobDigest digest(etag, size);
  std::uint64_t written = 0;
  download([&](std::span<const std::byte> bytes) {
    write_all(file.get(), bytes, partial);
    digest.update(bytes);
    written += bytes.size();
  });
  if (written != size || !digest.matches()) {
    ::unlink(partial.c_str());
    fail(ErrorCode::kIo, quote(blob, 400), ": what came, ", written, " of ", size,
         " bytes, does not have the digest that the Hub states; try again");
  }
  rename_file(partial, blob);
}

}  // namespace lambert
