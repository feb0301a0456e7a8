#include "client/patctl/user_lookup.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/text.h"

namespace pat::patctl {

absl::StatusOr<std::string> UserName(absl::string_view reference) {
  const absl::string_view id = absl::StripPrefix(reference, "users/");
  // To the server, users/- is everybody.
  if (id.empty() || id == "-" || absl::StrContains(id, "/")) {
    return UsageError(
        absl::StrCat("\"", MaskSecrets(Printable(reference)), "\": give one user's name, as in ada or users/ada"));
  }
  return absl::StrCat("users/", id);
}

absl::StatusOr<v1::User> FetchUser(const std::string& name, v1::UserService::Stub& users, Session& session) {
  v1::GetUserRequest request;
  request.set_name(name);
  v1::GetUserResponse response;
  absl::Status status = session.Call(users, &v1::UserService::Stub::GetUser, request, &response);
  if (!status.ok()) return status;
  return response.user();
}

}  // namespace pat::patctl
