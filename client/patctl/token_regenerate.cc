#include <string>

#include "absl/strings/str_cat.h"
#include "client/patctl/change_view.h"
#include "client/patctl/commands.h"
#include "client/patctl/expiration.h"
#include "client/patctl/prompt.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_lookup.h"
#include "client/patctl/token_secret_output.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {
namespace {

constexpr char kWhatItMeans[] =
    "It gets a new secret; name, scopes and audiences stay. The old secret ends at once where tokens are kept;\n"
    "services that have it in their cache may go on accepting it until that entry runs out.\n"
    "Scripts, applications and integrations that use the old secret stop working until they have the new one.";

// "CHANGES  EXPIRES  ... -> ...", if it does.
std::string ShowNewExpiry(const v1::Token& seen, const v1::Token& regenerated, absl::Time now) {
  Changes changes;
  if (regenerated.has_expire_time()) {
    changes.Add("EXPIRES", FormatWhen(ToTime(seen.expire_time()), now),
                FormatWhen(ToTime(regenerated.expire_time()), now));
  }
  return changes.ToString();
}

// Fills in which token, once the person has seen it and until when caches may accept its old secret, and has said yes;
// only as it was seen: if somebody else has regenerated it meanwhile, that secret shall not be killed unseen. With
// --yes at once.
absl::Status SelectConfirmed(const TokenSelection& selection, Session& session, v1::RegenerateTokenRequest& request) {
  if (session.options().yes || request.validate_only()) {
    auto name = FindTokenName(selection, session);
    if (!name.ok()) return name.status();
    request.set_name(*std::move(name));
    return absl::OkStatus();
  }
  const auto token = FindToken(selection, session);
  if (!token.ok()) return token.status();
  request.set_name(token->name());
  request.set_etag(token->etag());
  // The whole request is judged before anybody is asked, and its answer has the instant there is to decide about.
  v1::RegenerateTokenRequest rehearsal = request;
  rehearsal.set_validate_only(true);
  v1::RegenerateTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::RegenerateToken, rehearsal, &response);
  if (!status.ok()) return status;
  session.console().err() << ShowToken(*token, session.Now());
  session.console().err() << ShowNewExpiry(*token, response.token(), session.Now());
  session.Say(kWhatItMeans);
  return Confirm(absl::StrCat("regenerate ", Describe(*token), "? Done now, for the old secret: ",
                              ShowLastAccept(ToTime(response.previous_secret_last_accept_time()), session.Now()), "."),
                 session);
}

}  // namespace

absl::StatusOr<ExitCode> TokenRegenerate(const TokenRegenerateOptions& options, Session& session) {
  if (absl::Status status = CheckSelection(options.token, session); !status.ok()) return status;
  if (!options.validate_only) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kToken); !status.ok()) return status;

  v1::RegenerateTokenRequest request;
  request.set_request_id(options.request_id);
  request.set_validate_only(options.validate_only);
  if (options.expiry.has_value()) SetExpiration(*options.expiry, request);
  absl::Status status = SelectConfirmed(options.token, session, request);
  if (!status.ok()) return status;

  v1::RegenerateTokenResponse response;
  status = session.Call(session.tokens(), &v1::TokenService::Stub::RegenerateToken, request, &response);
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say("the request is good; nothing was regenerated");
    if (session.options().json) status = session.PrintJson(response);
  } else {
    session.Say(absl::StrCat("regenerated ", Describe(response.token()), ", good until ",
                             FormatWhen(ToTime(response.token().expire_time()), session.Now())));
    session.Say(absl::StrCat("the old secret: ",
                             ShowLastAccept(ToTime(response.previous_secret_last_accept_time()), session.Now())));
    session.Say("update the scripts, applications and integrations that use the old secret");
    status = HandOverSecret(response, response.token(), *response.mutable_secret(), session);
  }
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
