#include <string>

#include "absl/strings/str_cat.h"
#include "client/patctl/change_view.h"
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

// What is asked for may end the validity of the user's tokens, or bring it back, whoever the user is: a script must say
// yes before anything is sent.
bool SurelyNeedsConfirmation(const UserUpdateOptions& options) {
  return !options.validate_only &&
         (options.disabled.value_or(false) || options.type.has_value() || !options.remove_grants.empty());
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

// The user as it will be.
v1::User Changed(const v1::User& seen, const v1::UpdateUserRequest& request) {
  v1::User user = seen;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "type") user.set_type(request.user().type());
    if (path == "disabled") user.set_disabled(request.user().disabled());
    if (path == "administrator") user.set_administrator(request.user().administrator());
    if (path == "grants") *user.mutable_grants() = request.user().grants();
  }
  return user;
}

// Whether a scope goes; of "*", which is all of them, none is missed.
bool LosesGrants(const v1::User& seen, const v1::User& changed) {
  for (const std::string& grant : changed.grants()) {
    if (grant == "*") return false;
  }
  return !Without(seen.grants(), changed.grants()).empty();
}

std::string ShowChanges(const v1::User& seen, const v1::User& changed) {
  Changes changes;
  changes.Add("TYPE", TypeName(seen.type()), TypeName(changed.type()));
  changes.Add("DISABLED", YesOrNo(seen.disabled()), YesOrNo(changed.disabled()));
  changes.Add("ADMINISTRATOR", YesOrNo(seen.administrator()), YesOrNo(changed.administrator()));
  changes.AddNames("GRANTS", seen.grants(), changed.grants());
  return changes.ToString();
}

// OK if that is not for asking about, or once the person has seen who it is, what the tokens lose and until when caches
// may answer by what was, and has said yes.
absl::Status ConfirmUpdate(const UserUpdateOptions& options, const v1::User& seen, v1::UpdateUserRequest rehearsal,
                           v1::UserService::Stub& users, Session& session) {
  const v1::User changed = Changed(seen, rehearsal);
  const bool loses_grants = LosesGrants(seen, changed);
  if (session.options().yes || !(loses_grants || SurelyNeedsConfirmation(options))) return absl::OkStatus();
  if (absl::Status can = CanConfirm(session); !can.ok()) return can;
  rehearsal.set_validate_only(true);
  v1::UpdateUserResponse response;
  absl::Status status = session.Call(users, &v1::UserService::Stub::UpdateUser, rehearsal, &response);
  if (!status.ok()) return status;
  session.console().err() << ShowUser(seen, session.Now()) << ShowChanges(seen, changed);
  if (options.type.has_value() || options.disabled.value_or(false)) {
    session.Say("The tokens of a user who is disabled or not local are inactive; they come back when that is undone.");
  }
  if (loses_grants) {
    session.Say(
        "The user's tokens can no longer do what needs one of the grants marked -; they can again when it is granted "
        "again.");
  }
  return Confirm(absl::StrCat("change ", Printable(seen.name()), "? Done now, ",
                              ShowLastAnswer(ToTime(response.last_accept_time()), session.Now()), "."),
                 session);
}

}  // namespace

absl::StatusOr<ExitCode> UserUpdate(const UserUpdateOptions& options, Session& session) {
  const std::string name = session.ParentOf(options.user);
  if (!options.type.has_value() && !options.disabled.has_value() && !options.administrator.has_value() &&
      !ChangesGrants(options)) {
    return UsageError("missing: --type, --disabled, --administrator, --grants, --grant or --remove-grant");
  }
  if (SurelyNeedsConfirmation(options)) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto users = v1::UserService::NewStub(session.channel());
  const auto seen = FetchUser(name, *users, session);
  if (!seen.ok()) return seen.status();
  const auto request = RequestOf(options, *seen);
  if (!request.ok()) return request.status();
  if (!options.validate_only) {
    if (absl::Status status = ConfirmUpdate(options, *seen, *request, *users, session); !status.ok()) return status;
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
