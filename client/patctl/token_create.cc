#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/patctl/commands.h"
#include "client/patctl/expiration.h"
#include "client/patctl/expiry.h"
#include "client/patctl/prompt.h"
#include "client/patctl/scope_picker.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_secret_output.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {
namespace {

std::vector<std::string> Missing(const TokenCreateOptions& options) {
  std::vector<std::string> missing;
  if (options.name.empty()) missing.push_back("--name");
  if (options.scopes.empty()) missing.push_back("--scopes");
  if (!options.expiry.has_value()) missing.push_back("--expires");
  return missing;
}

absl::StatusOr<Expiry> AskExpiry(Session& session) {
  while (true) {
    const auto answer = Ask("when does it end (as in 30d, 90d or 2027-01-31)? ", session);
    if (!answer.ok()) return answer.status();
    auto expiry = ParseExpiry(*answer);
    if (expiry.ok()) return expiry;
    session.Say(expiry.status().message());
  }
}

// Asks for what is missing, in the order in which one thinks of it.
absl::Status Complete(TokenCreateOptions& options, Session& session) {
  while (options.name.empty()) {
    auto name = Ask("name of the token (what uses it?): ", session);
    if (!name.ok()) return name.status();
    options.name = *std::move(name);
  }
  if (options.scopes.empty()) {
    auto scopes = PickScopes(session);
    if (!scopes.ok()) return scopes.status();
    options.scopes = *std::move(scopes);
  }
  if (!options.expiry.has_value()) {
    const auto expiry = AskExpiry(session);
    if (!expiry.ok()) return expiry.status();
    options.expiry = *expiry;
  }
  return absl::OkStatus();
}

v1::CreateTokenRequest RequestOf(const TokenCreateOptions& options, const std::string& parent) {
  v1::CreateTokenRequest request;
  request.set_parent(parent);
  request.set_display_name(options.name);
  request.set_description(options.description);
  request.mutable_scopes()->Assign(options.scopes.begin(), options.scopes.end());
  request.mutable_audiences()->Assign(options.audiences.begin(), options.audiences.end());
  SetExpiration(*options.expiry, request);
  request.set_request_id(options.request_id);
  request.set_validate_only(options.validate_only);
  return request;
}

}  // namespace

absl::StatusOr<ExitCode> TokenCreate(const TokenCreateOptions& given, Session& session) {
  const std::vector<std::string> missing = Missing(given);
  if (!missing.empty() && !session.console().InputIsTerminal()) {
    return UsageError(absl::StrCat("missing: ", absl::StrJoin(missing, ", ")));
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  TokenCreateOptions options = given;
  if (absl::Status status = Complete(options, session); !status.ok()) return status;

  v1::CreateTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::CreateToken,
                                     RequestOf(options, session.ParentOf(options.owner)), &response);
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say("the request is good; nothing was created");
    if (session.options().json) status = session.PrintJson(response);
  } else {
    session.Say(absl::StrCat("created ", Describe(response.token()), ", good until ",
                             FormatWhen(ToTime(response.token().expire_time()), session.Now())));
    status = HandOverSecret(response, response.token(), *response.mutable_secret(), session);
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
