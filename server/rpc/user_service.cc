#include "server/rpc/user_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/resource_name.h"
#include "server/rpc/messages.h"
#include "server/rpc/request_secret.h"

namespace pat {

grpc::Status UserServiceImpl::CreateUser(grpc::ServerContext* context, const v1::CreateUserRequest* request,
                                         v1::CreateUserResponse* response) {
  const RequestSecret password(request->password());
  return guard_.Run("/pat.v1.UserService/CreateUser", *context, UserName(request->user_id()),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<UserRecord> user =
                          users_.Create(principal, {.user_id = request->user_id(),
                                                    .type = ReadUserType(request->user().type()),
                                                    .unknown_type = request->user().type(),
                                                    .disabled = request->user().disabled(),
                                                    .administrator = request->user().administrator(),
                                                    .grants = ReadTexts(request->user().grants()),
                                                    .password = password.view(),
                                                    .validate_only = request->validate_only()});
                      if (!user.ok()) return user.status();
                      SetUser(*user, *response->mutable_user());
                      return absl::OkStatus();
                    });
}

grpc::Status UserServiceImpl::GetUser(grpc::ServerContext* context, const v1::GetUserRequest* request,
                                      v1::GetUserResponse* response) {
  return guard_.Run("/pat.v1.UserService/GetUser", *context, request->name(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<UserRecord> user = users_.Get(principal, request->name());
                      if (!user.ok()) return user.status();
                      SetUser(*user, *response->mutable_user());
                      return absl::OkStatus();
                    });
}

grpc::Status UserServiceImpl::ListUsers(grpc::ServerContext* context, const v1::ListUsersRequest* request,
                                        v1::ListUsersResponse* response) {
  return guard_.Run("/pat.v1.UserService/ListUsers", *context, {}, [&](const Principal& principal) -> absl::Status {
    absl::StatusOr<UserViewPage> page =
        users_.List(principal, {.page_size = request->page_size(), .page_token = request->page_token()});
    if (!page.ok()) return page.status();
    for (const UserRecord& user : page->users) SetUser(user, *response->add_users());
    response->set_next_page_token(std::move(page->next_page_token));
    return absl::OkStatus();
  });
}

grpc::Status UserServiceImpl::UpdateUser(grpc::ServerContext* context, const v1::UpdateUserRequest* request,
                                         v1::UpdateUserResponse* response) {
  return guard_.Run("/pat.v1.UserService/UpdateUser", *context, request->user().name(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<ChangedUser> changed =
                          users_.Update(principal, {.name = request->user().name(),
                                                    .type = ReadUserType(request->user().type()),
                                                    .unknown_type = request->user().type(),
                                                    .disabled = request->user().disabled(),
                                                    .administrator = request->user().administrator(),
                                                    .grants = ReadTexts(request->user().grants()),
                                                    .update_mask = ReadTexts(request->update_mask().paths()),
                                                    .etag = request->user().etag(),
                                                    .validate_only = request->validate_only()});
                      if (!changed.ok()) return changed.status();
                      SetUser(changed->user, *response->mutable_user());
                      SetTimestamp(changed->last_accept_time, *response->mutable_last_accept_time());
                      return absl::OkStatus();
                    });
}

grpc::Status UserServiceImpl::DeleteUser(grpc::ServerContext* context, const v1::DeleteUserRequest* request,
                                         v1::DeleteUserResponse* response) {
  return guard_.Run(
      "/pat.v1.UserService/DeleteUser", *context, request->name(), [&](const Principal& principal) -> absl::Status {
        const absl::StatusOr<EndedTokens> ended = users_.Delete(
            principal, {.name = request->name(), .etag = request->etag(), .validate_only = request->validate_only()});
        if (!ended.ok()) return ended.status();
        response->set_revoked_count(static_cast<int64_t>(ended->revoked_count));
        SetTimestamp(ended->last_accept_time, *response->mutable_last_accept_time());
        return absl::OkStatus();
      });
}

grpc::Status UserServiceImpl::SetPassword(grpc::ServerContext* context, const v1::SetPasswordRequest* request,
                                          v1::SetPasswordResponse* /*response*/) {
  const RequestSecret password(request->password());
  const RequestSecret current_password(request->current_password());
  return guard_.Run("/pat.v1.UserService/SetPassword", *context, request->name(), [&](const Principal& principal) {
    return users_.SetPassword(
        principal, {.name = request->name(), .password = password.view(), .current_password = current_password.view()});
  });
}

}  // namespace pat
