// TokenService over gRPC: authenticate, parse, call the rules, map. Synchronous: its calls are rare, and they wait for
// fsync.
#ifndef PAT_SERVER_RPC_TOKEN_SERVICE_H_
#define PAT_SERVER_RPC_TOKEN_SERVICE_H_

#include "pat/v1/token_service.grpc.pb.h"
#include "server/core/page_token.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_lifecycle.h"
#include "server/rpc/call_guard.h"

namespace pat {

// Threads: gRPC calls the methods from several threads. What is given must outlive this object.
class TokenServiceImpl final : public v1::TokenService::Service {
 public:
  TokenServiceImpl(TokenLifecycle& lifecycle, const ScopeCatalog& catalog, const PageTokens& scope_page_tokens,
                   const CallGuard& guard)
      : lifecycle_(lifecycle), catalog_(catalog), scope_page_tokens_(scope_page_tokens), guard_(guard) {}

  grpc::Status CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override;
  grpc::Status GetToken(grpc::ServerContext* context, const v1::GetTokenRequest* request,
                        v1::GetTokenResponse* response) override;
  grpc::Status ListTokens(grpc::ServerContext* context, const v1::ListTokensRequest* request,
                          v1::ListTokensResponse* response) override;
  grpc::Status UpdateToken(grpc::ServerContext* context, const v1::UpdateTokenRequest* request,
                           v1::UpdateTokenResponse* response) override;
  grpc::Status RevokeToken(grpc::ServerContext* context, const v1::RevokeTokenRequest* request,
                           v1::RevokeTokenResponse* response) override;
  grpc::Status RegenerateToken(grpc::ServerContext* context, const v1::RegenerateTokenRequest* request,
                               v1::RegenerateTokenResponse* response) override;
  grpc::Status RevokeAllTokens(grpc::ServerContext* context, const v1::RevokeAllTokensRequest* request,
                               v1::RevokeAllTokensResponse* response) override;
  grpc::Status ReportLeakedToken(grpc::ServerContext* context, const v1::ReportLeakedTokenRequest* request,
                                 v1::ReportLeakedTokenResponse* response) override;
  grpc::Status ListScopes(grpc::ServerContext* context, const v1::ListScopesRequest* request,
                          v1::ListScopesResponse* response) override;

 private:
  TokenLifecycle& lifecycle_;
  const ScopeCatalog& catalog_;
  const PageTokens& scope_page_tokens_;
  const CallGuard& guard_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_TOKEN_SERVICE_H_
