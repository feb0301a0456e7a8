#include "client/patctl/commands.h"
#include "client/patctl/token_lookup.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> TokenUpdate(const TokenUpdateOptions& options, Session& session) {
  if (!options.name.has_value() && !options.description.has_value()) {
    return UsageError("missing: --name or --description; nothing else of a token can be changed");
  }
  if (absl::Status status = CheckReference(options.token); !status.ok()) return status;
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  auto name = FindTokenName(options.token, session);
  if (!name.ok()) return name.status();

  v1::UpdateTokenRequest request;
  request.mutable_token()->set_name(*std::move(name));
  if (options.name.has_value()) {
    request.mutable_token()->set_display_name(*options.name);
    request.mutable_update_mask()->add_paths("display_name");
  }
  if (options.description.has_value()) {
    request.mutable_token()->set_description(*options.description);
    request.mutable_update_mask()->add_paths("description");
  }
  v1::UpdateTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::UpdateToken, request, &response);
  if (!status.ok()) return status;
  status =
      session.options().json ? session.PrintJson(response) : session.Print(ShowToken(response.token(), session.Now()));
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
