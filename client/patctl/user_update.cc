#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "client/patctl/name_set.h"
#include "client/patctl/prompt.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_view.h"
#include "client/patctl/user_lookup.h"
#include "client/patctl/user_view.h"

namespace pat::patctl {
namespace {

bool ChangesGrants(const UserUpdateOptions& options) {
  return options.grants.has_value() || !options.add_grants.empty() || !options.remove_grants.empty();
}

// May end the validity of the user's tokens, or bring it back.
bool NeedsConfirmation(const UserUpdateOptions& options) {
  return !options.validate_only && (options.disabled.value_or(false) || options.type.has_value());
}

// The change, to a user as it was seen.
absl::StatusOr<v1::UpdateUserRequest> RequestOf(const UserUpdateOptions& options, const v1::User& seen) {
  v1::UpdateUserRequest request;
  request.set_validate_only(options.validate_only);
  v1::User& user = *request.mutable_user();
  user.set_name(seen.name());
  user.set_etag(seen.etag());
  if (options.type.has_value()) {
    user.set_type(*options.type);
    request.mutable_update_mask()->add_paths("type");
  }
  if (options.disabled.has_value()) {
    user.set_disabled(*options.disabled);
    request.mutable_update_mask()->add_paths("disabled");
  }
  if (options.administrator.has_value()) {
    user.set_administrator(*options.administrator);
    request.mutable_update_mask()->add_paths("administrator");
  }
  if (ChangesGrants(options)) {
    *user.mutable_grants() = seen.grants();
    if (options.grants.has_value()) user.mutable_grants()->Assign(options.grants->begin(), options.grants->end());
    absl::Status status = ChangeNames(options.add_grants, options.remove_grants,
                                      absl::StrCat("a grant of ", seen.name()), *user.mutable_grants());
    if (!status.ok()) return status;
    request.mutable_update_mask()->add_paths("grants");
  }
  return request;
}

// OK once the person has seen who it is and until when caches may answer by what was, and has said yes.
absl::Status ConfirmUpdate(const v1::User& seen, v1::UpdateUserRequest rehearsal, v1::UserService::Stub& users,
                           Session& session) {
  if (session.options().yes) return absl::OkStatus();
  rehearsal.set_validate_only(true);
  v1::UpdateUserResponse response;
  absl::Status status = session.Call(users, &v1::UserService::Stub::UpdateUser, rehearsal, &response);
  if (!status.ok()) return status;
  session.console().err() << ShowUser(seen, session.Now());
  session.Say("The tokens of a user who is disabled or not local are inactive; they come back when that is undone.");
  return Confirm(absl::StrCat("change ", Printable(seen.name()), "? Done now, ",
                              ShowLastAnswer(ToTime(response.last_accept_time()), session.Now()), "."),
                 session);
}

}  // namespace

absl::StatusOr<ExitCode> UserUpdate(const UserUpdateOptions& options, Session& session) {
  const auto name = UserName(options.user);
  if (!name.ok()) return name.status();
  if (!options.type.has_value() && !options.disabled.has_value() && !options.administrator.has_value() &&
      !ChangesGrants(options)) {
    return UsageError("missing: --type, --disabled, --administrator, --grants, --grant or --remove-grant");
  }
  if (NeedsConfirmation(options)) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto users = v1::UserService::NewStub(session.channel());
  const auto seen = FetchUser(*name, *users, session);
  if (!seen.ok()) return seen.status();
  const auto request = RequestOf(options, *seen);
  if (!request.ok()) return request.status();
  if (NeedsConfirmation(options)) {
    if (absl::Status status = ConfirmUpdate(*seen, *request, *users, session); !status.ok()) return status;
  }

  v1::UpdateUserResponse response;
  absl::Status status = session.Call(*users, &v1::UserService::Stub::UpdateUser, *request, &response);
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say("the request is good; nothing was changed");
  } else {
    session.Say(absl::StrCat("changed ", Printable(response.user().name())));
    session.Say(ShowLastAnswer(ToTime(response.last_accept_time()), session.Now()));
  }
  status =
      session.options().json ? session.PrintJson(response) : session.Print(ShowUser(response.user(), session.Now()));
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
