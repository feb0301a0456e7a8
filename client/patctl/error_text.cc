#include "client/patctl/error_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/patctl/connect_hint.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {
namespace {

ConnectHint Hint(const client::CallError& error, const GlobalOptions& options,
                 const std::optional<client::PeerCertificate>& peer, absl::Time now) {
  if (IsConnectFailure(error)) return HintFor(error.message, options, peer, now);
  switch (error.code) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {"", absl::StrCat("no answer within ", FormatDistance(options.timeout),
                               " (--timeout, PATCTL_TIMEOUT); whether the server did it is not known")};
    case grpc::StatusCode::UNAUTHENTICATED:
      // A sidecar's words; tests/e2e/patctl_test.cc has them.
      if (absl::StrContains(error.message, "there are no users here")) {
        return {"", "leave out who asks: --user '' if PATCTL_USER is set"};
      }
      if (!options.user.empty() || !options.token_file.empty()) return {};
      return {"", "say who you are with --user (PATCTL_USER), or with --token-file (PATCTL_TOKEN_FILE)"};
    case grpc::StatusCode::ABORTED:
      if (error.reason != "ETAG_MISMATCH") return {};
      return {"", "somebody changed it meanwhile: look at it again and decide anew"};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {absl::StrCat(options.server, " is a sidecar (introspection only), or no server of this kind at all"),
              "point --server (PATCTL_SERVER) at the authority"};
    default:
      return {};
  }
}

}  // namespace

bool IsConnectFailure(const client::CallError& error) {
  return error.code == grpc::StatusCode::UNAVAILABLE && error.reason.empty();
}

std::string RenderCallError(const client::CallError& error, const GlobalOptions& options,
                            const std::optional<client::PeerCertificate>& peer, absl::Time now) {
  std::string text = client::CodeName(error.code);
  if (!error.message.empty()) absl::StrAppend(&text, ": ", Printable(error.message));
  const auto add = [&text](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text, "\n  ", Printable(name), ": ", Printable(value));
  };
  if (!error.reason.empty()) add("reason", error.reason);
  for (const auto& [name, value] : error.metadata) add(name, value);
  for (const auto& violation : error.field_violations) add(violation.field, violation.description);
  for (const auto& violation : error.quota_violations) add(violation.subject, violation.description);
  if (error.retry_delay.has_value()) {
    // Rounded up: who tries a moment too early is refused again.
    add("try again in", FormatDistance(absl::Ceil(*error.retry_delay, absl::Seconds(1))));
  }
  const ConnectHint hint = Hint(error, options, peer, now);
  if (!hint.cause.empty()) add("cause", hint.cause);
  if (!hint.hint.empty()) add("hint", hint.hint);
  return MaskSecrets(text);
}

}  // namespace pat::patctl
