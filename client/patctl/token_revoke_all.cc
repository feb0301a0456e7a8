#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "client/patctl/prompt.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {
namespace {

// "3 tokens of users/ada".
std::string Whose(int64_t count, const TokenRevokeAllOptions& options, const std::string& parent) {
  return absl::StrCat(CountTokens(count), " of ", options.all_users ? "all users" : Printable(parent));
}

// OK once the person has seen how many there are and until when caches may accept them, and has said yes.
absl::Status ConfirmRevokeAll(const TokenRevokeAllOptions& options, v1::RevokeAllTokensRequest rehearsal,
                              Session& session) {
  if (session.options().yes) return absl::OkStatus();
  rehearsal.set_validate_only(true);
  v1::RevokeAllTokensResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::RevokeAllTokens, rehearsal, &response);
  if (!status.ok()) return status;
  session.Say(
      "They end for ever. Where tokens are kept they end at once; services that have them in their cache may go on\n"
      "accepting them until those entries run out.");
  return Confirm(absl::StrCat("revoke ", Whose(response.revoked_count(), options, rehearsal.parent()), "? Done now, ",
                              ShowLastAccept(ToTime(response.last_accept_time()), session.Now(),
                                             ThoseTokens(response.revoked_count())),
                              "."),
                 session);
}

}  // namespace

absl::StatusOr<ExitCode> TokenRevokeAll(const TokenRevokeAllOptions& options, Session& session) {
  if (absl::Status status = session.Check(Access::kUser); !status.ok()) return status;
  const std::string parent = options.all_users ? "users/-" : session.ParentOf(options.owner);
  if (!options.validate_only) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;

  v1::RevokeAllTokensRequest request;
  request.set_parent(parent);
  request.set_validate_only(options.validate_only);
  if (!options.validate_only) {
    if (absl::Status status = ConfirmRevokeAll(options, request, session); !status.ok()) return status;
  }
  v1::RevokeAllTokensResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::RevokeAllTokens, request, &response);
  if (!status.ok()) return status;
  const std::string whose = Whose(response.revoked_count(), options, parent);
  if (options.validate_only) {
    session.Say(absl::StrCat("the request is good, and would revoke ", whose, "; nothing was revoked"));
  } else {
    session.Say(absl::StrCat("revoked ", whose));
    session.Say(
        ShowLastAccept(ToTime(response.last_accept_time()), session.Now(), ThoseTokens(response.revoked_count())));
  }
  if (session.options().json) status = session.PrintJson(response);
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
