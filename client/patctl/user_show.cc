// Looking at users: list and show.
#include <utility>
#include <vector>

#include "client/patctl/commands.h"
#include "client/patctl/paging.h"
#include "client/patctl/user_lookup.h"
#include "client/patctl/user_view.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> UserList(Session& session) {
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto stub = v1::UserService::NewStub(session.channel());
  v1::ListUsersResponse all;
  absl::Status status = ForEachPage(
      *stub, &v1::UserService::Stub::ListUsers, v1::ListUsersRequest(),
      [&all](const v1::ListUsersResponse& page) { all.mutable_users()->MergeFrom(page.users()); }, session);
  if (!status.ok()) return status;

  if (session.options().json) {
    status = session.PrintJsonList(all, all.users());
  } else {
    status = session.Print(ShowUsers({all.users().begin(), all.users().end()}));
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> UserShow(const std::string& user_id, Session& session) {
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto stub = v1::UserService::NewStub(session.channel());
  const auto user = FetchUser(session.ParentOf(user_id), *stub, session);
  if (!user.ok()) return user.status();

  absl::Status status;
  if (session.options().json) {
    v1::GetUserResponse response;
    *response.mutable_user() = *user;
    status = session.PrintJson(response);
  } else {
    status = session.Print(ShowUser(*user, session.Now()));
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
