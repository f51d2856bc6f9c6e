// AWS Signature Version 4, in the Authorization header ("Signature Calculations for the
// Authorization Header" of the Amazon S3 API reference).
#pragma once

#include <string>
#include <string_view>

#include "net/aws_credentials.h"
#include "net/http_message.h"

namespace lambert {

struct SigningScope {
  std::string region, service;  // "us-east-1", "s3"
};

// Adds X-Amz-Date, X-Amz-Security-Token, for s3 X-Amz-Content-Sha256 with the digest of the body,
// and Authorization over all headers, `host` (the Host header, which HttpConnection sends) and the
// target. The target is signed as it stands: encoded once, as S3 wants it; of other services only
// "/" is signed right, as they want paths encoded twice. Headers of an earlier signature are
// replaced.
void sign_request(HttpRequest& request, std::string_view host, const AwsCredentials& credentials,
                  const SigningScope& scope, WallTime time);

// Percent-encoding as it must be in what is signed: all but A-Z a-z 0-9 - _ . ~, in upper-case
// digits.
std::string uri_encode(std::string_view text);
// The same for a path: slashes stay.
std::string uri_encode_path(std::string_view path);

// "20130524T000000Z"
std::string amz_date(WallTime time);

}  // namespace lambert
