#include "server/core/resource_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace pat {
namespace {

constexpr size_t kLongestId = 63;
constexpr absl::string_view kUsers = "users/";
constexpr absl::string_view kTokens = "/tokens/";

bool IsTokenId(absl::string_view id) {
  return !id.empty() && id.size() <= kLongestId && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

}  // namespace

bool IsUserId(absl::string_view id) {
  const auto fits = [](char c) { return absl::ascii_islower(static_cast<unsigned char>(c)) || (c >= '0' && c <= '9'); };
  if (id.empty() || id.size() > kLongestId || !fits(id.front())) return false;
  return std::all_of(id.begin(), id.end(), [&](char c) { return fits(c) || c == '.' || c == '_' || c == '-'; });
}

std::string UserName(absl::string_view user_id) { return absl::StrCat(kUsers, user_id); }

std::string TokenName(absl::string_view user_id, const TokenUid& uid) {
  return absl::StrCat(kUsers, user_id, kTokens, uid.ToString());
}

std::optional<std::string> ParseUserName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kUsers)) return std::nullopt;
  if (name != kEverybody && !IsUserId(name)) return std::nullopt;
  return std::string(name);
}

std::optional<TokenNameParts> ParseTokenName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kUsers)) return std::nullopt;
  const size_t tokens = name.find(kTokens);
  if (tokens == absl::string_view::npos) return std::nullopt;
  const absl::string_view user_id = name.substr(0, tokens);
  const absl::string_view token_id = name.substr(tokens + kTokens.size());
  if (!IsUserId(user_id) || !IsTokenId(token_id)) return std::nullopt;
  return TokenNameParts{std::string(user_id), TokenUid::Parse(token_id)};
}

}  // namespace pat
