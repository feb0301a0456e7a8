// Finding the user that a person means.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_USER_LOOKUP_H_
#define PAT_CLIENT_PATCTL_USER_LOOKUP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/patctl/session.h"
#include "pat/v1/user_service.grpc.pb.h"

namespace pat::patctl {

// "users/ada", for "ada" and for "users/ada". INVALID_ARGUMENT: no name, or one that stands for several users or for
// something else of a user's. Whether it can be one is for the server to judge.
absl::StatusOr<std::string> UserName(absl::string_view reference);

// The user, from the server.
absl::StatusOr<v1::User> FetchUser(const std::string& name, v1::UserService::Stub& users, Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_USER_LOOKUP_H_
