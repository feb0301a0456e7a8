#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/patctl/commands.h"
#include "client/patctl/requirement.h"
#include "client/patctl/secret_file.h"
#include "client/patctl/table.h"
#include "client/patctl/time_text.h"
#include "pat/v1/introspection_service.grpc.pb.h"

namespace pat::patctl {
namespace {

using v1::Freshness;
using v1::IntrospectResponse;

std::string VerdictText(IntrospectResponse::Verdict verdict) {
  switch (verdict) {
    case IntrospectResponse::VERDICT_ALLOW:
      return "ALLOW: the token is good, and for this";
    case IntrospectResponse::VERDICT_INACTIVE:
      return "INACTIVE: unknown, malformed, revoked, expired, or its owner may not use tokens";
    case IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE:
      return "INSUFFICIENT_SCOPE: the token is good, but not for this";
    case IntrospectResponse::VERDICT_WRONG_AUDIENCE:
      return "WRONG_AUDIENCE: the token is good, but not here";
    default:
      return absl::StrCat(static_cast<int>(verdict), ": this program does not know what that means; take it for a no");
  }
}

std::string SourceText(Freshness::Source source) {
  switch (source) {
    case Freshness::SOURCE_STORE:
      return "the store, read for this answer";
    case Freshness::SOURCE_CACHE:
      return "a cache";
    case Freshness::SOURCE_FORMAT:
      return "the form of the token: nothing was read";
    default:
      return absl::StrCat(static_cast<int>(source));
  }
}

void AddFacts(const IntrospectResponse& response, absl::Time now, Table& table) {
  const auto list = [](const auto& values) { return std::vector<std::string>(values.begin(), values.end()); };
  if (!response.active()) return;
  table.AddRow({"OWNER", response.sub()});
  table.AddList("SCOPES", list(response.scopes()));
  table.AddList("AUDIENCES", response.aud().empty() ? std::vector<std::string>{"everywhere"} : list(response.aud()));
  table.AddRow({"EXPIRES", FormatWhen(absl::FromUnixSeconds(response.exp()), now)});
  table.AddRow({"CREATED", FormatWhen(absl::FromUnixSeconds(response.iat()), now)});
  table.AddRow({"ISSUER", response.iss()});
  table.AddRow({"ID", response.jti()});
}

// `sent`: what is left of the answer counts from before the request was sent.
void AddFreshness(const Freshness& freshness, absl::Time sent, absl::Time now, Table& table) {
  const absl::Duration left = std::max(ToDuration(freshness.fresh_for()) - (now - sent), absl::ZeroDuration());
  table.AddRow({"SOURCE", SourceText(freshness.source())});
  table.AddRow({"READ", FormatInstant(ToTime(freshness.read_time()))});
  table.AddRow(
      {"FRESH FOR", absl::StrCat(FormatDistance(left), ", until ", FormatInstant(ToTime(freshness.fresh_until())))});
}

std::string ShowAnswer(const IntrospectResponse& response, const std::vector<Requirement>& requirements,
                       absl::Time sent, absl::Time now) {
  Table table;
  table.AddRow({"VERDICT", VerdictText(response.verdict())});
  table.AddRow({"ACTIVE", response.active() ? "true" : "false"});
  std::vector<std::string> unmet;
  for (uint32_t index : response.unmet_requirements()) {
    unmet.push_back(index < requirements.size() ? FormatRequirement(requirements[index]) : absl::StrCat(index));
  }
  table.AddList("MISSING", unmet);
  AddFacts(response, now, table);
  AddFreshness(response.freshness(), sent, now, table);
  return table.ToString();
}

absl::StatusOr<client::SecretText> ReadToken(const IntrospectOptions& options, Session& session) {
  const std::string path = options.token_file.empty() ? "-" : options.token_file;
  if (absl::Status status = session.CheckStandardInput(path, "the token"); !status.ok()) return status;
  return ReadSecretFile(path, "token: ", session.console());
}

}  // namespace

absl::StatusOr<ExitCode> Introspect(const IntrospectOptions& options, Session& session) {
  if (!session.options().token_file.empty()) {
    return UsageError("a token cannot ask about tokens: put --token-file behind introspect, for the one to ask about");
  }
  v1::IntrospectRequest request;
  for (const Requirement& requirement : options.requirements) {
    request.add_requirements()->mutable_any_of()->Assign(requirement.begin(), requirement.end());
  }
  request.set_audience(options.audience);
  if (options.max_staleness.has_value()) *request.mutable_max_staleness() = ToProto(*options.max_staleness);

  if (absl::Status status = session.Check(Access::kAnyone); !status.ok()) return status;
  auto token = ReadToken(options, session);
  if (!token.ok()) return token.status();
  if (absl::Status status = session.Connect(Access::kAnyone); !status.ok()) return status;
  request.set_token(std::string(token->Reveal()));

  const auto stub = v1::IntrospectionService::NewStub(session.channel());
  IntrospectResponse response;
  const absl::Time sent = session.Now();
  absl::Status status = session.Call(*stub, &v1::IntrospectionService::Stub::Introspect, request, &response);
  client::WipeString(*request.mutable_token());
  if (!status.ok()) return status;
  status = session.options().json ? session.PrintJson(response)
                                  : session.Print(ShowAnswer(response, options.requirements, sent, session.Now()));
  if (!status.ok()) return status;
  return response.verdict() == IntrospectResponse::VERDICT_ALLOW ? ExitCode::kDone : ExitCode::kOtherVerdict;
}

}  // namespace pat::patctl
