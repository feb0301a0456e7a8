#include "absl/strings/str_cat.h"
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

bool NeedsConfirmation(const PolicyUpdateOptions& options) {
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

// OK once the person has seen until when caches may answer by what was, and has said yes.
absl::Status ConfirmUpdate(v1::UpdatePolicyRequest rehearsal, v1::PolicyService::Stub& policies, Session& session) {
  if (session.options().yes) return absl::OkStatus();
  rehearsal.set_validate_only(true);
  v1::UpdatePolicyResponse response;
  absl::Status status = session.Call(policies, &v1::PolicyService::Stub::UpdatePolicy, rehearsal, &response);
  if (!status.ok()) return status;
  session.Say("All tokens of all users become inactive, and none can be made. They come back when it is undone.");
  return Confirm(absl::StrCat("switch all tokens off? Done now, ",
                              ShowLastAnswer(ToTime(response.last_accept_time()), session.Now()), "."),
                 session);
}

}  // namespace

absl::StatusOr<ExitCode> PolicyUpdate(const PolicyUpdateOptions& options, Session& session) {
  if (!options.tokens_disabled.has_value() && !options.maximum_lifespan.has_value() &&
      !options.maximum_live_tokens.has_value() && !ChangesScopes(options)) {
    return UsageError("missing: --tokens, --maximum-lifespan, --maximum-live-tokens, --forbid or --allow");
  }
  if (NeedsConfirmation(options)) {
    if (absl::Status status = CanConfirm(session); !status.ok()) return status;
  }
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto policies = v1::PolicyService::NewStub(session.channel());
  v1::GetPolicyResponse seen;
  absl::Status status = session.Call(*policies, &v1::PolicyService::Stub::GetPolicy, v1::GetPolicyRequest(), &seen);
  if (!status.ok()) return status;
  const auto request = RequestOf(options, seen.policy());
  if (!request.ok()) return request.status();
  if (NeedsConfirmation(options)) {
    if (status = ConfirmUpdate(*request, *policies, session); !status.ok()) return status;
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
