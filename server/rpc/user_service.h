// UserService over gRPC: authenticate, parse, call the rules, map. Synchronous, as TokenService. Passwords in requests
// are not copied here, and wiped when the call is done.
#ifndef PAT_SERVER_RPC_USER_SERVICE_H_
#define PAT_SERVER_RPC_USER_SERVICE_H_

#include "pat/v1/user_service.grpc.pb.h"
#include "server/core/user_lifecycle.h"
#include "server/rpc/call_guard.h"

namespace pat {

// Threads: gRPC calls the methods from several threads. What is given must outlive this object.
class UserServiceImpl final : public v1::UserService::Service {
 public:
  UserServiceImpl(UserLifecycle& users, const CallGuard& guard) : users_(users), guard_(guard) {}

  grpc::Status CreateUser(grpc::ServerContext* context, const v1::CreateUserRequest* request,
                          v1::CreateUserResponse* response) override;
  grpc::Status GetUser(grpc::ServerContext* context, const v1::GetUserRequest* request,
                       v1::GetUserResponse* response) override;
  grpc::Status ListUsers(grpc::ServerContext* context, const v1::ListUsersRequest* request,
                         v1::ListUsersResponse* response) override;
  grpc::Status UpdateUser(grpc::ServerContext* context, const v1::UpdateUserRequest* request,
                          v1::UpdateUserResponse* response) override;
  grpc::Status DeleteUser(grpc::ServerContext* context, const v1::DeleteUserRequest* request,
                          v1::DeleteUserResponse* response) override;
  grpc::Status SetPassword(grpc::ServerContext* context, const v1::SetPasswordRequest* request,
                           v1::SetPasswordResponse* response) override;

 private:
  UserLifecycle& users_;
  const CallGuard& guard_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_USER_SERVICE_H_
