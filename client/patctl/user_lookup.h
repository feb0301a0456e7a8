// Looking a user up.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_USER_LOOKUP_H_
#define PAT_CLIENT_PATCTL_USER_LOOKUP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/patctl/session.h"
#include "pat/v1/user_service.grpc.pb.h"

namespace pat::patctl {

// The user of this resource name, from the server.
absl::StatusOr<v1::User> FetchUser(const std::string& name, v1::UserService::Stub& users, Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_USER_LOOKUP_H_
