// Looking at tokens: list and show.
#include <vector>

#include "client/patctl/commands.h"
#include "client/patctl/token_lookup.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> TokenList(const TokenListOptions& options, Session& session) {
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const std::string parent = options.all_users ? "users/-" : session.ParentOf(options.owner);
  const auto tokens = FetchTokens(parent, options.show_revoked, session);
  if (!tokens.ok()) return tokens.status();

  absl::Status status;
  if (session.options().json) {
    v1::ListTokensResponse all;
    all.mutable_tokens()->Assign(tokens->begin(), tokens->end());
    status = session.PrintJsonList(all, all.tokens());
  } else if (tokens->empty()) {
    session.Say("no tokens");
  } else {
    status = session.Print(ShowTokens(*tokens, options.all_users, session.Now()));
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> TokenShow(const TokenSelection& options, Session& session) {
  if (absl::Status status = CheckSelection(options, session); !status.ok()) return status;
  if (absl::Status status = session.Connect(Access::kToken); !status.ok()) return status;
  const auto token = FindToken(options, session);
  if (!token.ok()) return token.status();

  absl::Status status;
  if (session.options().json) {
    v1::GetTokenResponse response;
    *response.mutable_token() = *token;
    status = session.PrintJson(response);
  } else {
    status = session.Print(ShowToken(*token, session.Now()));
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
