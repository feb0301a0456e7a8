#include "server/rpc/token_service.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/crypto/digest.h"
#include "server/rpc/messages.h"
#include "server/rpc/request_secret.h"

namespace pat {
namespace {

constexpr size_t kLongestQuery = 256;  // Of ListScopes: every word of it is looked for in every scope.

template <typename Request>
RequestedExpiration ReadExpiration(const Request& request) {
  switch (request.expiration_case()) {
    case Request::kExpireTime:
      return ReadTimestamp(request.expire_time());
    case Request::kTtl:
      return ReadSpan(request.ttl());
    case Request::EXPIRATION_NOT_SET:
      break;
  }
  return NotRequested{};
}

// The hash covers what was decoded, without the id and without validate_only: the same request, however it was encoded.
template <typename Request>
RequestIdentity ReadIdentity(const Request& request) {
  if (request.request_id().empty()) return {};
  Request body = request;
  body.clear_request_id();
  body.clear_validate_only();
  body.DiscardUnknownFields();
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  body.SerializeToCodedStream(&coded);
  coded.Trim();
  return {.id = request.request_id(), .body_hash = Sha256(bytes)};
}

}  // namespace

grpc::Status TokenServiceImpl::CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                                           v1::CreateTokenResponse* response) {
  return guard_.Run("/pat.v1.TokenService/CreateToken", *context, request->parent(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<TokenWithSecret> made =
                          lifecycle_.Create(principal, {.parent = request->parent(),
                                                        .display_name = request->display_name(),
                                                        .description = request->description(),
                                                        .scopes = ReadTexts(request->scopes()),
                                                        .audiences = ReadTexts(request->audiences()),
                                                        .expiration = ReadExpiration(*request),
                                                        .request = ReadIdentity(*request),
                                                        .validate_only = request->validate_only()});
                      if (!made.ok()) return made.status();
                      SetToken(made->token, *response->mutable_token());
                      response->set_secret(std::string(made->secret.Reveal()));
                      return absl::OkStatus();
                    });
}

grpc::Status TokenServiceImpl::GetToken(grpc::ServerContext* context, const v1::GetTokenRequest* request,
                                        v1::GetTokenResponse* response) {
  return guard_.Run("/pat.v1.TokenService/GetToken", *context, request->name(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<TokenView> token = lifecycle_.Get(principal, request->name());
                      if (!token.ok()) return token.status();
                      SetToken(*token, *response->mutable_token());
                      return absl::OkStatus();
                    });
}

grpc::Status TokenServiceImpl::ListTokens(grpc::ServerContext* context, const v1::ListTokensRequest* request,
                                          v1::ListTokensResponse* response) {
  return guard_.Run(
      "/pat.v1.TokenService/ListTokens", *context, request->parent(), [&](const Principal& principal) -> absl::Status {
        absl::StatusOr<TokenViewPage> page = lifecycle_.List(principal, {.parent = request->parent(),
                                                                         .page_size = request->page_size(),
                                                                         .page_token = request->page_token(),
                                                                         .show_revoked = request->show_revoked()});
        if (!page.ok()) return page.status();
        for (const TokenView& token : page->tokens) SetToken(token, *response->add_tokens());
        response->set_next_page_token(std::move(page->next_page_token));
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::UpdateToken(grpc::ServerContext* context, const v1::UpdateTokenRequest* request,
                                           v1::UpdateTokenResponse* response) {
  return guard_.Run("/pat.v1.TokenService/UpdateToken", *context, request->token().name(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<TokenView> token =
                          lifecycle_.Update(principal, {.name = request->token().name(),
                                                        .display_name = request->token().display_name(),
                                                        .description = request->token().description(),
                                                        .update_mask = ReadTexts(request->update_mask().paths()),
                                                        .etag = request->token().etag()});
                      if (!token.ok()) return token.status();
                      SetToken(*token, *response->mutable_token());
                      return absl::OkStatus();
                    });
}

grpc::Status TokenServiceImpl::RevokeToken(grpc::ServerContext* context, const v1::RevokeTokenRequest* request,
                                           v1::RevokeTokenResponse* response) {
  return guard_.Run(
      "/pat.v1.TokenService/RevokeToken", *context, request->name(), [&](const Principal& principal) -> absl::Status {
        const absl::StatusOr<RevokedToken> revoked = lifecycle_.Revoke(
            principal, {.name = request->name(), .etag = request->etag(), .validate_only = request->validate_only()});
        if (!revoked.ok()) return revoked.status();
        SetToken(revoked->token, *response->mutable_token());
        SetTimestamp(revoked->last_accept_time, *response->mutable_last_accept_time());
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::RegenerateToken(grpc::ServerContext* context, const v1::RegenerateTokenRequest* request,
                                               v1::RegenerateTokenResponse* response) {
  return guard_.Run("/pat.v1.TokenService/RegenerateToken", *context, request->name(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<TokenWithSecret> made =
                          lifecycle_.Regenerate(principal, {.name = request->name(),
                                                            .expiration = ReadExpiration(*request),
                                                            .request = ReadIdentity(*request),
                                                            .etag = request->etag(),
                                                            .validate_only = request->validate_only()});
                      if (!made.ok()) return made.status();
                      SetToken(made->token, *response->mutable_token());
                      response->set_secret(std::string(made->secret.Reveal()));
                      SetTimestamp(made->previous_secret_last_accept_time,
                                   *response->mutable_previous_secret_last_accept_time());
                      return absl::OkStatus();
                    });
}

grpc::Status TokenServiceImpl::RevokeAllTokens(grpc::ServerContext* context, const v1::RevokeAllTokensRequest* request,
                                               v1::RevokeAllTokensResponse* response) {
  return guard_.Run("/pat.v1.TokenService/RevokeAllTokens", *context, request->parent(),
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<RevokedTokens> revoked = lifecycle_.RevokeAll(
                          principal, {.parent = request->parent(), .validate_only = request->validate_only()});
                      if (!revoked.ok()) return revoked.status();
                      response->set_revoked_count(static_cast<int64_t>(revoked->revoked_count));
                      SetTimestamp(revoked->last_accept_time, *response->mutable_last_accept_time());
                      return absl::OkStatus();
                    });
}

grpc::Status TokenServiceImpl::ReportLeakedToken(grpc::ServerContext* context,
                                                 const v1::ReportLeakedTokenRequest* request,
                                                 v1::ReportLeakedTokenResponse* /*response*/) {
  const RequestSecret secret(request->secret());
  return guard_.Run("/pat.v1.TokenService/ReportLeakedToken", *context, {},
                    [&](const Principal& principal) { return lifecycle_.ReportLeaked(principal, secret.view()); });
}

grpc::Status TokenServiceImpl::ListScopes(grpc::ServerContext* context, const v1::ListScopesRequest* request,
                                          v1::ListScopesResponse* response) {
  return guard_.Run("/pat.v1.TokenService/ListScopes", *context, {}, [&](const Principal& principal) -> absl::Status {
    Violations violations;
    const std::optional<size_t> page_size = EffectivePageSize(request->page_size());
    if (!page_size.has_value()) {
      violations.push_back({"page_size", absl::StrCat(request->page_size(), " is negative; give 0 to 200")});
    }
    if (request->query().size() > kLongestQuery) {
      violations.push_back({"query", absl::StrCat("has ", request->query().size(), " bytes; at most ", kLongestQuery)});
    }
    const std::string list = absl::StrCat(principal.ToString(), "\n", request->query());
    std::optional<uint64_t> begin = 0;
    if (!request->page_token().empty()) begin = scope_page_tokens_.Decode(request->page_token(), list);
    if (!begin.has_value()) {
      violations.push_back({"page_token", "is not from an answer to this caller with this query; start over"});
    }
    if (!violations.empty()) return InvalidRequest(std::move(violations));

    const std::vector<const ScopeEntry*> found = catalog_.Search(request->query());
    const size_t end = std::min(found.size(), static_cast<size_t>(*begin) + *page_size);
    for (size_t i = *begin; i < end; ++i) {
      v1::Scope& scope = *response->add_scopes();
      scope.set_name(found[i]->name);
      scope.set_resource(found[i]->resource);
      scope.set_product(found[i]->product);
      scope.set_description(found[i]->description);
      for (const std::string& implied : found[i]->implies) scope.add_implies(implied);
      scope.set_documented(found[i]->documented);
    }
    if (end < found.size()) response->set_next_page_token(scope_page_tokens_.Encode(end, list));
    return absl::OkStatus();
  });
}

}  // namespace pat
