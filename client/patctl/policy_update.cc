#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/patctl/change_view.h"
#include "client/patctl/commands.h"
#include "client/patctl/name_set.h"
#include "client/patctl/policy_view.h"
#include "client/patctl/prompt.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_view.h"
#include "pat/v1/policy_service.grpc.pb.h"

namespace pat::patctl {
namespace {

bool ChangesScopes(const PolicyUpdateOptions& options) { return !options.forbid.empty() || !options.allow.empty(); }

// What is asked for may end tokens whatever the policy is now, so a script must say yes before anything is sent.
bool SurelyNeedsConfirmation(const PolicyUpdateOptions& options) {
  return !options.validate_only && options.tokens_disabled.value_or(false);
}

// The change, to the policy as it was seen.
absl::StatusOr<v1::UpdatePolicyRequest> RequestOf(const PolicyUpdateOptions& options, const v1::Policy& seen) {
  v1::UpdatePolicyRequest request;
  request.set_validate_only(options.validate_only);
  v1::Policy& policy = *request.mutable_policy();
  policy.set_etag(seen.etag());
  if (options.tokens_disabled.has_value()) {
    policy.set_tokens_disabled(*options.tokens_disabled);
    request.mutable_update_mask()->add_paths("tokens_disabled");
  }
  if (options.maximum_lifespan.has_value()) {
    *policy.mutable_maximum_lifespan() = ToProto(*options.maximum_lifespan);
    request.mutable_update_mask()->add_paths("maximum_lifespan");
  }
  if (options.maximum_live_tokens.has_value()) {
    policy.set_maximum_live_tokens(*options.maximum_live_tokens);
    request.mutable_update_mask()->add_paths("maximum_live_tokens");
  }
  if (ChangesScopes(options)) {
    *policy.mutable_forbidden_scopes() = seen.forbidden_scopes();
    absl::Status status =
        ChangeNames(options.forbid, options.allow, "a scope that is forbidden", *policy.mutable_forbidden_scopes());
    if (!status.ok()) return status;
    request.mutable_update_mask()->add_paths("forbidden_scopes");
  }
  return request;
}

// The policy as it will be.
v1::Policy Changed(const v1::Policy& seen, const v1::UpdatePolicyRequest& request) {
  v1::Policy policy = seen;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "tokens_disabled") policy.set_tokens_disabled(request.policy().tokens_disabled());
    if (path == "maximum_lifespan") *policy.mutable_maximum_lifespan() = request.policy().maximum_lifespan();
    if (path == "maximum_live_tokens") policy.set_maximum_live_tokens(request.policy().maximum_live_tokens());
    if (path == "forbidden_scopes") *policy.mutable_forbidden_scopes() = request.policy().forbidden_scopes();
  }
  return policy;
}

// What the change takes away from tokens that there are: a sentence for each kind. None: nothing.
std::vector<std::string> Losses(const v1::Policy& seen, const v1::Policy& changed) {
  std::vector<std::string> losses;
  if (changed.tokens_disabled() && !seen.tokens_disabled()) {
    losses.emplace_back(
        "All tokens of all users become inactive, and none can be made. They come back when it is undone.");
  }
  const absl::Duration lifespan = ToDuration(changed.maximum_lifespan());
  if (lifespan < ToDuration(seen.maximum_lifespan())) {
    const std::string exactly = FormatExactly(lifespan);
    losses.push_back(absl::StrCat("Tokens that were made or last regenerated more than ", exactly,
                                  " ago become inactive; all others end ", exactly,
                                  " after that at the latest.\nTheir own dates count again when it is undone."));
  }
  if (!Without(changed.forbidden_scopes(), seen.forbidden_scopes()).empty()) {
    losses.emplace_back(
        "Tokens that have one of the scopes marked + cannot use it any more. They can again when it is undone.");
  }
  return losses;
}

std::string TokensState(const v1::Policy& policy) { return policy.tokens_disabled() ? "DISABLED" : "ENABLED"; }

std::string ShowChanges(const v1::Policy& seen, const v1::Policy& changed) {
  Changes changes;
  changes.Add("TOKENS", TokensState(seen), TokensState(changed));
  changes.Add("MAXIMUM LIFESPAN", FormatExactly(ToDuration(seen.maximum_lifespan())),
              FormatExactly(ToDuration(changed.maximum_lifespan())));
  changes.Add("MAXIMUM LIVE TOKENS", absl::StrCat(seen.maximum_live_tokens()),
              absl::StrCat(changed.maximum_live_tokens()));
  changes.AddNames("FORBIDDEN SCOPES", seen.forbidden_scopes(), changed.forbidden_scopes());
  return changes.ToString();
}

// OK if tokens lose nothing by it, or once the person has seen what they lose and until when caches may answer by what
// was, and has said yes.
absl::Status ConfirmUpdate(const v1::Policy& seen, v1::UpdatePolicyRequest rehearsal, v1::PolicyService::Stub& policies,
                           Session& session) {
  const v1::Policy changed = Changed(seen, rehearsal);
  const std::vector<std::string> losses = Losses(seen, changed);
  if (losses.empty() || session.options().yes) return absl::OkStatus();
  if (absl::Status can = CanConfirm(session); !can.ok()) return can;
  rehearsal.set_validate_only(true);
  v1::UpdatePolicyResponse response;
  absl::Status status = session.Call(policies, &v1::PolicyService::Stub::UpdatePolicy, rehearsal, &response);
  if (!status.ok()) return status;
  session.console().err() << ShowChanges(seen, changed);
  for (const std::string& loss : losses) session.Say(loss);
  return Confirm(absl::StrCat("change the policy? Done now, ",
                              ShowLastAnswer(ToTime(response.last_accept_time()), session.Now()), "."),
                 session);
}

}  // namespace

absl::StatusOr<ExitCode> PolicyUpdate(const PolicyUpdateOptions& options, Session& session) {
  if (!options.tokens_disabled.has_value() && !options.maximum_lifespan.has_value() &&
      !options.maximum_live_tokens.has_value() && !ChangesScopes(options)) {
    return UsageError("missing: --tokens, --maximum-lifespan, --maximum-live-tokens, --forbid or --allow");
  }
  if (SurelyNeedsConfirmation(options)) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto policies = v1::PolicyService::NewStub(session.channel());
  v1::GetPolicyResponse seen;
  absl::Status status = session.Call(*policies, &v1::PolicyService::Stub::GetPolicy, v1::GetPolicyRequest(), &seen);
  if (!status.ok()) return status;
  const auto request = RequestOf(options, seen.policy());
  if (!request.ok()) return request.status();
  if (!options.validate_only) {
    if (status = ConfirmUpdate(seen.policy(), *request, *policies, session); !status.ok()) return status;
  }

  v1::UpdatePolicyResponse response;
  status = session.Call(*policies, &v1::PolicyService::Stub::UpdatePolicy, *request, &response);
  if (!status.ok()) return status;
  if (options.validate_only) {
    session.Say("the request is good; nothing was changed");
  } else {
    session.Say("changed the policy");
    session.Say(ShowLastAnswer(ToTime(response.last_accept_time()), session.Now()));
  }
  status = session.options().json ? session.PrintJson(response) : session.Print(ShowPolicy(response.policy()));
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
