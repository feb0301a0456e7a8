#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "client/patctl/new_password.h"
#include "client/patctl/text.h"
#include "pat/v1/user_service.grpc.pb.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> UserSetPassword(const UserSetPasswordOptions& options, Session& session) {
  if (absl::Status status = session.Check(Access::kUser); !status.ok()) return status;
  const std::string name = session.ParentOf(options.user);
  if (absl::Status status = session.CheckStandardInput(options.new_password_file, "the new password"); !status.ok()) {
    return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto password = ReadNewPassword(options.new_password_file, name, session);
  if (!password.ok()) return password.status();

  v1::SetPasswordRequest request;
  request.set_name(name);
  request.set_password(std::string(password->Reveal()));
  // Who asks has just said it.
  if (name == session.ParentOf("")) request.set_current_password(std::string(session.password().Reveal()));
  const auto users = v1::UserService::NewStub(session.channel());
  v1::SetPasswordResponse response;
  absl::Status status = session.Call(*users, &v1::UserService::Stub::SetPassword, request, &response);
  client::WipeString(*request.mutable_password());
  client::WipeString(*request.mutable_current_password());
  if (!status.ok()) return status;
  session.Say(absl::StrCat(Printable(name), " has a new password"));
  if (session.options().json) status = session.PrintJson(response);
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
