#include "store/hub.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json_member.h"
#include "net/ascii.h"
#include "net/sigv4.h"

namespace lambert {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxModelInfo = std::size_t{16} << 20;
constexpr std::chrono::milliseconds kHubIdleTime{10'000};

struct HubModel {
  std::string commit;
  std::vector<std::string> files;  // names without directories
};

// What a file is, from the head of the answer that redirects to it.
struct HubFile {
  std::string etag;
  std::uint64_t size = 0;
};

bool is_weights(std::string_view name) {
  return name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".pt") ||
         name.ends_with(".pth");
}

// Of weights in both formats only those in safetensors.
void leave_out_other_weights(std::vector<std::string>& files) {
  const bool has_safetensors = std::any_of(files.begin(), files.end(), [](const std::string& name) {
    return name.ends_with(".safetensors");
  });
  if (!has_safetensors) return;
  std::erase_if(files, [](const std::string& name) {
    return (is_weights(name) && !name.ends_with(".safetensors")) ||
           name == "pytorch_model.bin.index.json";
  });
}

bool is_commit(std::string_view text) {
  return text.size() == 40 &&
         std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

// Names a blob, so nothing that leads elsewhere.
bool is_etag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_ascii_alphanumeric(c) || c == '-';
  });
}

class Hub {
 public:
  Hub(const Uri& uri, const HubSettings& settings, HubEnvironment environment)
      : uri_(uri),
        settings_(settings),
        hub_(std::move(environment)),
        endpoint_(parse_url(hub_.endpoint, "HF_ENDPOINT")),
        connection_(endpoint_, options()),
        retrier_({}, settings.waiting, std::random_device{}()),
        deadline_(settings.waiting.clock->now() + settings.download.budget) {}

  HubModel model(const std::function<bool(std::string_view)>& is_wanted) {
    const HttpResponse response = retrier_.run(deadline_, [&] {
      return checked(connection_.request(
          request("/api/models/" + uri_.repository + "/revision/" + uri_encode(uri_.revision)),
          kMaxModelInfo, deadline_));
    });
    const json::value value = parse_json(response.body, endpoint_.origin(), ErrorCode::kIo);
    const json::object* const root = value.if_object();
    HubModel model;
    if (root != nullptr) model.commit = string_at(*root, "sha");
    const json::value* const siblings = root != nullptr ? root->if_contains("siblings") : nullptr;
    if (!is_commit(model.commit) || siblings == nullptr || !siblings->is_array()) {
      network_fail(Retry::kNo, endpoint_.origin(), ": the answer about ", quote(uri_.text),
                   " has no commit and list of files");
    }
    for (const json::value& sibling : siblings->get_array()) {
      const json::object* const file = sibling.if_object();
      const std::string name(file != nullptr ? string_at(*file, "rfilename") : "");
      if (name.empty() || name.find('/') != name.npos || name.front() == '.') continue;
      if (is_wanted(name)) model.files.push_back(name);
    }
    leave_out_other_weights(model.files);
    return model;
  }

  void fetch(const HubCache& cache, const std::string& commit, const std::string& name) {
    const std::string target =
        "/" + uri_.repository + "/resolve/" + commit + "/" + uri_encode(name);
    const HubFile file = retrier_.run(deadline_, [&] { return describe(target); });
    cache.add_file(commit, name, file.etag, file.size, [&](const ByteSink& sink) {
      Url url = endpoint_;
      url.target = target_of(target);
      HttpsSettings settings{settings_.environment, settings_.waiting, settings_.download, {}};
      if (!hub_.token.empty()) settings.authorization = bearer();
      HttpsFile(url, settings).get(sink);
    });
  }

 private:
  HttpOptions options() const {
    HttpOptions options;
    options.idle_timeout = kHubIdleTime;
    options.waiting = settings_.waiting;
    options.tls = std::make_shared<TlsClient>(settings_.environment);
    options.proxy = proxy_for(endpoint_, settings_.environment);
    return options;
  }
  Secret bearer() const { return Secret("Bearer " + std::string(hub_.token.reveal())); }

  // The endpoint may have a path of its own.
  std::string target_of(const std::string& path) const {
    return endpoint_.target == "/" ? path : endpoint_.target + path;
  }
  HttpRequest request(const std::string& path) const {
    HttpRequest request;
    request.target = target_of(path);
    if (!hub_.token.empty()) {
      request.headers.push_back({"Authorization", std::string(bearer().reveal())});
    }
    return request;
  }

  HttpResponse checked(HttpResponse response) const {
    const int status = response.head.status;
    if (status / 100 == 2) return response;
    const std::string* const header = response.head.find("X-Error-Code");
    const std::string code = header != nullptr ? *header : "";
    const std::string what = quote(uri_.text) + ": the Hub (" + endpoint_.origin() + ") answered " +
                             std::to_string(status) + (code.empty() ? "" : ", " + quote(code));
    const auto refuse = [&](Retry retry, ErrorCode error, const std::string& advice) {
      throw NetworkError(retry, what + advice, error);
    };
    if (status == 408 || status == 429 || status >= 500) refuse(Retry::kYes, ErrorCode::kIo, "");
    if (code == "GatedRepo") {
      refuse(Retry::kNo, ErrorCode::kIo,
             "; its authors want you to accept their terms: do so at " + endpoint_.origin() + "/" +
                 uri_.repository + " and set HF_TOKEN to a token of yours");
    }
    if (code == "RevisionNotFound") {
      refuse(Retry::kNo, ErrorCode::kNotFound, "; there is no such branch, tag or commit");
    }
    if (status == 401 || status == 403 || status == 404) {
      refuse(Retry::kNo, ErrorCode::kNotFound,
             "; there is no such model, or it is private: then set HF_TOKEN");
    }
    refuse(Retry::kNo, ErrorCode::kIo, "");
    return response;
  }

  // Follows redirects on the Hub alone: the one to where the content is has what we need.
  HubFile describe(std::string target) {
    constexpr int kMaxHops = 5;
    for (int hop = 0; hop < kMaxHops; ++hop) {
      HttpRequest head = request(target);
      if (hop > 0) head.target = target;
      head.method = "HEAD";
      HttpResponse response = connection_.request(head, kMaxModelInfo, deadline_);
      const bool redirects = response.head.status / 100 == 3;
      const std::string* const location = response.head.find("Location");
      if (redirects && location != nullptr && location->starts_with('/') &&
          !location->starts_with("//")) {
        target = *location;
        continue;
      }
      if (!redirects) response = checked(std::move(response));
      return file_of(response.head);
    }
    network_fail(Retry::kNo, endpoint_.origin(), ": redirects in a circle");
  }

  HubFile file_of(const HttpHead& head) const {
    const std::string* etag = head.find("X-Linked-Etag");
    const std::string* size = head.find("X-Linked-Size");
    if (etag == nullptr) etag = head.find("ETag");
    if (size == nullptr) size = head.find("Content-Length");
    HubFile file;
    std::string_view text = etag != nullptr ? std::string_view(*etag) : "";
    if (text.starts_with("W/")) text.remove_prefix(2);
    if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    file.etag = text;
    const bool has_size =
        size != nullptr &&
        std::from_chars(size->data(), size->data() + size->size(), file.size).ec == std::errc();
    if (!is_etag(file.etag) || !has_size) {
      network_fail(Retry::kNo, endpoint_.origin(), ": a file without ETag and size");
    }
    return file;
  }

  const Uri& uri_;
  const HubSettings& settings_;
  HubEnvironment hub_;
  Url endpoint_;
  HttpConnection connection_;
  Retrier retrier_;
  TimePoint deadline_;
};

}  // namespace

std::string fetch_from_hub(const Uri& uri, const HubSettings& settings,
                           const std::function<bool(std::string_view name)>& is_wanted) {
  HubEnvironment environment = read_hub_environment(settings.environment);
  const HubCache cache(environment.cache, uri.repository);
  const auto known = cache.commit_of(uri.revision);
  if (environment.offline) {
    if (known) return cache.snapshot(*known);
    fail(ErrorCode::kNotFound, quote(uri.text), ": is not in the cache ", environment.cache,
         ", and HF_HUB_OFFLINE is set; unset it, or fetch the model with `lambert pull`");
  }
  Hub hub(uri, settings, std::move(environment));
  HubModel model;
  try {
    model = hub.model(is_wanted);
  } catch (const NetworkError& error) {
    // What the Hub refuses by name counts; where it cannot be reached, the cache serves.
    if (!known || error.code() == ErrorCode::kNotFound) throw;
    return cache.snapshot(*known);
  }
  for (const std::string& name : model.files) {
    if (!cache.has_file(model.commit, name)) hub.fetch(cache, model.commit, name);
  }
  cache.set_commit(uri.revision, model.commit);
  return cache.snapshot(model.commit);
}

}  // namespace lambert
