#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "client/patctl/prompt.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_lookup.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {
namespace {

constexpr char kWhatItMeans[] =
    "It ends for ever. Where tokens are kept it ends at once; services that have it in their cache may go on\n"
    "accepting it until that entry runs out.";

// The name of the token, once the person has seen it and until when caches may accept it, and has said yes; with --yes
// at once.
absl::StatusOr<std::string> ConfirmedName(const TokenSelection& selection, Session& session) {
  if (session.options().yes) return FindTokenName(selection, session);
  const auto token = FindToken(selection, session);
  if (!token.ok()) return token.status();
  // Asked for before it is done: that is what there is to decide about.
  v1::RevokeTokenRequest request;
  request.set_name(token->name());
  request.set_validate_only(true);
  v1::RevokeTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::RevokeToken, request, &response);
  if (!status.ok()) return status;
  session.console().err() << ShowToken(*token, session.Now());
  session.Say(kWhatItMeans);
  status = Confirm(absl::StrCat("revoke ", Describe(*token), "? Done now, ",
                                ShowLastAccept(ToTime(response.last_accept_time()), session.Now()), "."),
                   session);
  if (!status.ok()) return status;
  return token->name();
}

}  // namespace

absl::StatusOr<ExitCode> TokenRevoke(const TokenRevokeOptions& options, Session& session) {
  if (absl::Status status = CheckSelection(options.token, session); !status.ok()) return status;
  if (!options.validate_only) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kToken); !status.ok()) return status;
  auto name = options.validate_only ? FindTokenName(options.token, session) : ConfirmedName(options.token, session);
  if (!name.ok()) return name.status();

  v1::RevokeTokenRequest request;
  request.set_name(*std::move(name));
  request.set_validate_only(options.validate_only);
  v1::RevokeTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::RevokeToken, request, &response);
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say(absl::StrCat("the request is good; nothing was revoked: ", Describe(response.token())));
  } else {
    session.Say(absl::StrCat("revoked ", Describe(response.token())));
    session.Say(ShowLastAccept(ToTime(response.last_accept_time()), session.Now()));
  }
  if (session.options().json) status = session.PrintJson(response);
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
