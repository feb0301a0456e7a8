#include "client/patctl/user_lookup.h"

namespace pat::patctl {

absl::StatusOr<v1::User> FetchUser(const std::string& name, v1::UserService::Stub& users, Session& session) {
  v1::GetUserRequest request;
  request.set_name(name);
  v1::GetUserResponse response;
  absl::Status status = session.Call(users, &v1::UserService::Stub::GetUser, request, &response);
  if (!status.ok()) return status;
  return response.user();
}

}  // namespace pat::patctl
