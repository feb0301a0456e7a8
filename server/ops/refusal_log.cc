#include "server/ops/refusal_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

constexpr absl::string_view kBasic = "Basic ";
constexpr size_t kLongestHeader = 2048;
constexpr size_t kLongestName = 255;  // Of a certificate; longer ones are cut.

size_t KindOf(const CallInfo& call, absl::string_view reason) {
  if (reason == "CREDENTIALS_MISSING") return 0;
  if (reason == "CREDENTIALS_INVALID") return call.authorization.empty() ? 1 : 2;
  return reason == "RATE_LIMITED" ? 3 : 4;
}

std::string NamesOf(const PeerCertificate& certificate) {
  std::string names;
  const auto add = [&names](absl::string_view kind, absl::string_view name) {
    absl::StrAppend(&names, " ", kind, "=", absl::CHexEscape(name.substr(0, kLongestName)));
  };
  if (!certificate.spiffe_id.empty()) add("spiffe", certificate.spiffe_id);
  for (const absl::string_view uri : certificate.uris) {
    if (uri != certificate.spiffe_id) add("uri", uri);
  }
  for (const absl::string_view name : certificate.dns_names) add("dns", name);
  return names.empty() ? " without a name" : names;
}

// Its text may quote what came in x-pat-user. What is no user id may be anything.
std::string TextOf(const CallInfo& call, const absl::Status& refusal) {
  const bool may_quote =
      std::any_of(call.portal_user.begin(), call.portal_user.end(), [](absl::string_view id) { return !IsUserId(id); });
  return may_quote ? "x-pat-user is no user id" : std::string(refusal.message());
}

}  // namespace

RefusalLog::RefusalLog(const Clock& clock, const TokenReader* users)
    : users_(users),
      lines_{LineLimiter(clock), LineLimiter(clock), LineLimiter(clock), LineLimiter(clock), LineLimiter(clock)} {}

void RefusalLog::OnRefused(const CallInfo& call, absl::string_view peer, const absl::Status& refusal) {
  const std::optional<ErrorDetails> details = DetailsOf(refusal);
  if (!details.has_value()) return;  // Of the store, which is in the log.
  const std::optional<uint64_t> kept_back = lines_[KindOf(call, details->reason)].Admit();
  if (!kept_back.has_value()) return;
  const std::string line = LineOf(call, peer, refusal);
  // Somebody who has shown nothing yet is no news: a probe, or a person at a prompt.
  const auto level = details->reason == "CREDENTIALS_MISSING" ? spdlog::level::info : spdlog::level::warn;
  spdlog::log(level, "{} (and {} more of this kind)", line, *kept_back);
}

std::string RefusalLog::LineOf(const CallInfo& call, absl::string_view peer, const absl::Status& refusal) const {
  const std::optional<ErrorDetails> details = DetailsOf(refusal);
  std::string line = absl::StrCat("refused: ", call.method, " from ", peer);
  if (!call.listener.empty() && peer != call.listener) absl::StrAppend(&line, " at ", call.listener);
  if (call.certificate.has_value()) absl::StrAppend(&line, ", certificate", NamesOf(*call.certificate));
  absl::StrAppend(&line, UserOf(call), ": ", details.has_value() ? details->reason : "", ": ", TextOf(call, refusal));
  return line;
}

std::string RefusalLog::UserOf(const CallInfo& call) const {
  if (users_ == nullptr || call.authorization.size() != 1) return {};
  const absl::string_view header = call.authorization.front();
  if (!absl::StartsWithIgnoreCase(header, kBasic) || header.size() > kLongestHeader) return {};
  std::string decoded;
  const absl::Cleanup wipe = [&decoded] { SecureWipe(decoded); };
  if (!absl::Base64Unescape(header.substr(kBasic.size()), &decoded)) return {};
  const absl::string_view name = absl::string_view(decoded).substr(0, decoded.find(':'));
  if (name.size() == decoded.size() || !IsUserId(name)) return ", no user that exists";
  const absl::StatusOr<std::optional<UserRecord>> user = users_->GetUser(name);
  if (!user.ok()) return {};
  return user->has_value() ? absl::StrCat(", user ", name) : ", no user that exists";
}

}  // namespace pat
