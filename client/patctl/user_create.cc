#include <utility>

#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "client/patctl/new_password.h"
#include "client/patctl/text.h"
#include "client/patctl/user_view.h"
#include "pat/v1/user_service.grpc.pb.h"

namespace pat::patctl {
namespace {

v1::CreateUserRequest RequestOf(const UserCreateOptions& options) {
  v1::CreateUserRequest request;
  request.set_user_id(options.user);
  v1::User& user = *request.mutable_user();
  user.set_type(options.type);
  user.set_administrator(options.administrator.value_or(false));
  user.set_disabled(options.disabled.value_or(false));
  user.mutable_grants()->Assign(options.grants.begin(), options.grants.end());
  request.set_validate_only(options.validate_only);
  return request;
}

}  // namespace

absl::StatusOr<ExitCode> UserCreate(const UserCreateOptions& options, Session& session) {
  const bool local = options.type == v1::User::TYPE_LOCAL;
  if (!local && !options.new_password_file.empty()) return UsageError("only local users have a password here");
  if (absl::Status status = session.CheckStandardInput(options.new_password_file, "the new password"); !status.ok()) {
    return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;

  v1::CreateUserRequest request = RequestOf(options);
  if (local && !options.no_password) {
    const auto password = ReadNewPassword(options.new_password_file, session.ParentOf(options.user), session);
    if (!password.ok()) return password.status();
    request.set_password(std::string(password->Reveal()));
  }
  const auto users = v1::UserService::NewStub(session.channel());
  v1::CreateUserResponse response;
  absl::Status status = session.Call(*users, &v1::UserService::Stub::CreateUser, request, &response);
  client::WipeString(*request.mutable_password());
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say("the request is good; nothing was created");
  } else {
    session.Say(absl::StrCat("created ", Printable(response.user().name())));
  }
  if (session.options().json) {
    status = session.PrintJson(response);
  } else if (!options.validate_only) {
    status = session.Print(ShowUser(response.user(), session.Now()));
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
