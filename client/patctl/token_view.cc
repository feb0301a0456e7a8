#include "client/patctl/token_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/patctl/table.h"
#include "client/patctl/text.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {
namespace {

// So many scopes fit into a row; the others are counted.
constexpr int kScopesInRow = 3;

std::string ScopesInRow(const v1::Token& token) {
  const int shown = std::min(token.scopes_size(), kScopesInRow);
  std::string text = absl::StrJoin(token.scopes().begin(), token.scopes().begin() + shown, ",");
  if (token.scopes_size() > shown) absl::StrAppend(&text, " +", token.scopes_size() - shown);
  return text;
}

// "ada" of "users/ada/tokens/...".
std::string Owner(const v1::Token& token) {
  absl::string_view owner = token.name();
  absl::ConsumePrefix(&owner, "users/");
  return std::string(owner.substr(0, owner.find('/')));
}

std::vector<std::string> List(const google::protobuf::RepeatedPtrField<std::string>& values) {
  return {values.begin(), values.end()};
}

// "2026-11-23 16:04:03Z (in 59m58s)", rounded up: it may be so long, and no longer.
std::string Deadline(absl::Time time, absl::Time now) {
  return absl::StrCat(FormatInstant(RoundUpToSecond(time)), " (in ",
                      FormatDistance(absl::Ceil(time - now, absl::Seconds(1))), ")");
}

}  // namespace

std::string StateName(v1::Token::State state) {
  if (!v1::Token::State_IsValid(state)) return absl::StrCat(static_cast<int>(state));
  return std::string(absl::StripPrefix(v1::Token::State_Name(state), "STATE_"));
}

std::string ShowToken(const v1::Token& token, absl::Time now) {
  Table table;
  const auto add_time = [&table, now](const std::string& name, bool known, const google::protobuf::Timestamp& time) {
    if (known) table.AddRow({name, FormatWhen(ToTime(time), now)});
  };
  table.AddRow({"NAME", token.display_name()});
  if (!token.description().empty()) table.AddRow({"DESCRIPTION", token.description()});
  table.AddRow({"STATE", StateName(token.state())});
  add_time("EXPIRES", token.has_expire_time(), token.expire_time());
  table.AddList("SCOPES", List(token.scopes()));
  table.AddList("AUDIENCES",
                token.audiences().empty() ? std::vector<std::string>{"everywhere"} : List(token.audiences()));
  add_time("CREATED", token.has_create_time(), token.create_time());
  add_time("REGENERATED", token.has_regenerate_time(), token.regenerate_time());
  add_time("REVOKED", token.has_revoke_time(), token.revoke_time());
  add_time("LAST USED", token.has_last_use_time(), token.last_use_time());
  table.AddRow({"OWNER", Owner(token)});
  table.AddRow({"ID", token.uid()});
  table.AddRow({"FULL NAME", token.name()});
  return table.ToString();
}

std::string ShowTokens(const std::vector<v1::Token>& tokens, bool with_owner, absl::Time now) {
  std::vector<std::string> headers = {"NAME", "STATE", "SCOPES", "EXPIRES", "ID"};
  if (with_owner) headers.insert(headers.end(), {"OWNER", "LAST USED"});
  Table table(std::move(headers));
  for (const v1::Token& token : tokens) {
    std::vector<std::string> row = {token.display_name(), StateName(token.state()), ScopesInRow(token),
                                    FormatWhen(ToTime(token.expire_time()), now), token.uid()};
    if (with_owner) {
      row.push_back(Owner(token));
      row.push_back(token.has_last_use_time() ? FormatWhen(ToTime(token.last_use_time()), now) : "-");
    }
    table.AddRow(std::move(row));
  }
  return table.ToString();
}

std::string CountTokens(int64_t count) {
  if (count == 0) return "no token";
  return count == 1 ? "1 token" : absl::StrCat(count, " tokens");
}

std::string ThoseTokens(int64_t count) {
  if (count == 0) return "earlier ones";
  return count == 1 ? "it" : "them";
}

std::string Describe(const v1::Token& token) {
  return absl::StrCat("\"", Printable(token.display_name()), "\" (", Printable(token.name()), ")");
}

std::string ShowLastAccept(absl::Time last_accept, absl::Time now, absl::string_view it) {
  if (last_accept <= now) return absl::StrCat("no cache accepts ", it, " any more");
  return absl::StrCat("caches may accept ", it, " until ", Deadline(last_accept, now));
}

std::string ShowLastAnswer(absl::Time last_answer, absl::Time now) {
  if (last_answer <= now) return "no cache answers by what was before any more";
  return absl::StrCat("caches may answer by what was before until ", Deadline(last_answer, now));
}

}  // namespace pat::patctl
