// Keys from the machine: the endpoint of a container (ECS, EKS pod identity, and others like it)
// and of an EC2 instance (IMDSv2).
#pragma once

#include <optional>
#include <string>

#include "net/aws_credentials.h"
#include "net/environment.h"
#include "net/socket.h"

namespace lambert {

// Throws kInvalidArgument where AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor a loopback
// or well-known address; NetworkError. None where the variables are not set.
std::optional<AwsCredentials> container_credentials(const Environment& environment,
                                                    const Waiting& waiting);

// None where there is no such endpoint, or no role; it is asked for a second at most, and not at
// all with AWS_EC2_METADATA_DISABLED=true.
std::optional<AwsCredentials> instance_credentials(const Environment& environment,
                                                   const Waiting& waiting);

}  // namespace lambert
