#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "client/patctl/prompt.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_view.h"
#include "client/patctl/user_lookup.h"
#include "client/patctl/user_view.h"

namespace pat::patctl {
namespace {

// OK once the person has seen the user, how many tokens end and until when caches may accept them, and has said yes;
// `request` then is for the user as seen. With --yes at once.
absl::Status ConfirmDelete(v1::UserService::Stub& users, Session& session, v1::DeleteUserRequest& request) {
  if (session.options().yes) return absl::OkStatus();
  const auto user = FetchUser(request.name(), users, session);
  if (!user.ok()) return user.status();
  request.set_etag(user->etag());
  v1::DeleteUserRequest rehearsal = request;
  rehearsal.set_validate_only(true);
  v1::DeleteUserResponse response;
  absl::Status status = session.Call(users, &v1::UserService::Stub::DeleteUser, rehearsal, &response);
  if (!status.ok()) return status;
  session.console().err() << ShowUser(*user, session.Now());
  session.Say("It cannot be undone: a later user of the same name gets none of the tokens back.");
  return Confirm(
      absl::StrCat(
          "delete ", Printable(user->name()), " and end ", CountTokens(response.revoked_count()), "? Done now, ",
          ShowLastAccept(ToTime(response.last_accept_time()), session.Now(), ThoseTokens(response.revoked_count())),
          "."),
      session);
}

}  // namespace

absl::StatusOr<ExitCode> UserDelete(const UserDeleteOptions& options, Session& session) {
  const std::string name = session.ParentOf(options.user);
  if (!options.validate_only) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto users = v1::UserService::NewStub(session.channel());
  v1::DeleteUserRequest request;
  request.set_name(name);
  request.set_validate_only(options.validate_only);
  if (!options.validate_only) {
    if (absl::Status status = ConfirmDelete(*users, session, request); !status.ok()) return status;
  }

  v1::DeleteUserResponse response;
  absl::Status status = session.Call(*users, &v1::UserService::Stub::DeleteUser, request, &response);
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say(absl::StrCat("the request is good, and would end ", CountTokens(response.revoked_count()),
                             "; nothing was changed"));
  } else {
    session.Say(absl::StrCat("deleted ", Printable(name), " and ended ", CountTokens(response.revoked_count())));
    session.Say(
        ShowLastAccept(ToTime(response.last_accept_time()), session.Now(), ThoseTokens(response.revoked_count())));
  }
  if (session.options().json) status = session.PrintJson(response);
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
