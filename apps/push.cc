// lambert push: a file to S3.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "base/mapped_file.h"
#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "progress.h"
#include "store/remote.h"
#include "transfer.h"

namespace lambert {

namespace {

constexpr const char* kPushFooter = R"(Examples:
  lambert push squad-distilbert.tar.gz s3://bucket/models/squad-distilbert.tar.gz
  lambert push model.tar.gz s3://new-bucket/model.tar.gz --create-bucket --profile work

Keys for AWS come from where its own tools look: AWS_ACCESS_KEY_ID and so on, --profile or
AWS_PROFILE (with SSO, roles and credential_process), a container's or instance's role.
AWS_REGION chooses the region, AWS_ENDPOINT_URL_S3 another server. Every part is signed with its
digest, and S3 keeps a checksum of the whole that downloads are checked by.)";

struct PushCommand {
  std::string file, uri, profile;
  bool create_bucket = false;
};

int push(const PushCommand& command) {
  Uri uri = parse_uri(command.uri, "the destination");
  if (uri.kind != Uri::Kind::kS3) {
    fail(ErrorCode::kInvalidArgument, quote(command.uri, 400), ": expected s3://BUCKET/KEY");
  }
  const MappedFile file(command.file);
  if (uri.key.empty() || uri.key.ends_with('/')) {
    uri.key += command.file.substr(command.file.rfind('/') + 1);
  }
  S3Client client(s3_settings({.aws_profile = command.profile}));
  if (command.create_bucket) client.create_bucket(uri.bucket);
  {
    Progress progress(true);
    client.put(uri.bucket, uri.key, file.bytes(),
               [&](std::uint64_t done) { progress.show_bytes(done, file.bytes().size()); });
  }
  print_error("s3://" + uri.bucket + "/" + uri.key + ": " + size_text(file.bytes().size()));
  return kExitOk;
}

}  // namespace

void add_push(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<PushCommand>();
  CLI::App* command = app.add_subcommand("push", "Writes a file to S3");
  command->footer(kPushFooter);
  add_file(*command, "file", options->file, "such as an archive of `lambert archive`")->required();
  command
      ->add_option("uri", options->uri,
                   "s3://BUCKET/KEY; with '/' at its end the file's name is added")
      ->type_name("URI")
      ->required();
  command->add_flag("--create-bucket", options->create_bucket,
                    "make the bucket if it is not there");
  add_profile_option(*command, options->profile);
  command->callback(
      [options, &invocation] { invocation.run = [options] { return push(*options); }; });
}

}  // namespace lambert
