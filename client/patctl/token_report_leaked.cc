#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "client/patctl/commands.h"
#include "client/patctl/secret_file.h"

namespace pat::patctl {
namespace {

// What a server would take for nobody's secret without a word: somebody who reports it would believe that it is dead.
bool HasFormOfSecret(absl::string_view text) {
  constexpr absl::string_view kPrefix = "pat_";
  constexpr size_t kLength = 53;
  if (text.size() != kLength || !absl::StartsWith(text, kPrefix)) return false;
  for (char c : text.substr(kPrefix.size())) {
    if (!absl::ascii_isalnum(c)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<ExitCode> TokenReportLeaked(const std::string& secret_file, Session& session) {
  const std::string path = secret_file.empty() ? "-" : secret_file;
  if (absl::Status status = session.Check(Access::kAnyone); !status.ok()) return status;
  if (absl::Status status = session.CheckStandardInput(path, "the secret that leaked"); !status.ok()) return status;
  const auto secret = ReadSecretFile(path, "secret that leaked: ", session.console());
  if (!secret.ok()) return secret.status();
  if (!HasFormOfSecret(secret->Reveal())) {
    return UsageError("that is no token's secret: give pat_ and the 49 letters and digits behind it, and nothing else");
  }
  if (absl::Status status = session.Connect(Access::kAnyone); !status.ok()) return status;

  v1::ReportLeakedTokenRequest request;
  request.set_secret(std::string(secret->Reveal()));
  v1::ReportLeakedTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::ReportLeakedToken, request, &response);
  client::WipeString(*request.mutable_secret());
  if (!status.ok()) return status;
  session.Say(
      "reported: if it was a token's secret, that token is revoked; caches may accept it until their entries run out");
  if (session.options().json) status = session.PrintJson(response);
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
