// Handing over a new secret: the one moment at which it can be read.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_TOKEN_SECRET_OUTPUT_H_
#define PAT_CLIENT_PATCTL_TOKEN_SECRET_OUTPUT_H_

#include <string>

#include "absl/status/status.h"
#include "client/patctl/session.h"
#include "pat/v1/token.pb.h"

namespace pat::patctl {

// Prints the secret alone to standard output, or with --output json the whole response, and says on standard error that
// it is not shown again. Wipes `secret`, which is the response's. An error if there is no secret, or if it could not be
// written: then it is lost, and the error says what to do.
absl::Status HandOverSecret(const google::protobuf::Message& response, const v1::Token& token, std::string& secret,
                            Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TOKEN_SECRET_OUTPUT_H_
