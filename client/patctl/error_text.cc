#include "client/patctl/error_text.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {
namespace {

std::string Hint(const client::CallError& error, const GlobalOptions& options) {
  switch (error.code) {
    case grpc::StatusCode::UNAVAILABLE:
      if (!error.reason.empty()) return "";
      return absl::StrCat("no server answers at ", options.server,
                          ": does it run, is --server (PATCTL_SERVER) right, and do both sides use TLS or both not?");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::StrCat("no answer within ", FormatDistance(options.timeout),
                          " (--timeout); whether the server did it is not known");
    case grpc::StatusCode::UNAUTHENTICATED:
      return options.user.empty() && options.token_file.empty()
                 ? "say who you are with --user (PATCTL_USER), or with --token-file"
                 : "";
    case grpc::StatusCode::ABORTED:
      return error.reason == "ETAG_MISMATCH" ? "somebody changed it meanwhile: look at it again and decide anew" : "";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "this server has no such call: a sidecar only answers introspect, everything else is kept by its "
             "authority";
    default:
      return "";
  }
}

}  // namespace

std::string RenderCallError(const client::CallError& error, const GlobalOptions& options) {
  std::string text = absl::StrCat(client::CodeName(error.code), ": ", Printable(error.message));
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
  const std::string hint = Hint(error, options);
  if (!hint.empty()) add("hint", hint);
  return MaskSecrets(text);
}

}  // namespace pat::patctl
