#include "client/patctl/user_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/patctl/table.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {
namespace {

// So many grants fit into a row; the others are counted.
constexpr int kGrantsInRow = 3;

std::string GrantsInRow(const v1::User& user) {
  if (user.grants().empty()) return "-";
  const int shown = std::min(user.grants_size(), kGrantsInRow);
  std::string text = absl::StrJoin(user.grants().begin(), user.grants().begin() + shown, ",");
  if (user.grants_size() > shown) absl::StrAppend(&text, " +", user.grants_size() - shown);
  return text;
}

std::string ShortName(const v1::User& user) { return std::string(absl::StripPrefix(user.name(), "users/")); }

}  // namespace

std::string YesOrNo(bool value) { return value ? "yes" : "no"; }

std::string TypeName(v1::User::Type type) {
  if (!v1::User::Type_IsValid(type)) return absl::StrCat(static_cast<int>(type));
  return std::string(absl::StripPrefix(v1::User::Type_Name(type), "TYPE_"));
}

std::string ShowUser(const v1::User& user, absl::Time now) {
  Table table;
  table.AddRow({"NAME", ShortName(user)});
  table.AddRow({"TYPE", TypeName(user.type())});
  table.AddRow({"DISABLED", YesOrNo(user.disabled())});
  table.AddRow({"ADMINISTRATOR", YesOrNo(user.administrator())});
  table.AddList("GRANTS", user.grants().empty() ? std::vector<std::string>{"none"}
                                                : std::vector<std::string>(user.grants().begin(), user.grants().end()));
  if (user.has_create_time()) table.AddRow({"CREATED", FormatWhen(ToTime(user.create_time()), now)});
  table.AddRow({"ID", user.uid()});
  table.AddRow({"FULL NAME", user.name()});
  return table.ToString();
}

std::string ShowUsers(const std::vector<v1::User>& users) {
  Table table({"NAME", "TYPE", "DISABLED", "ADMINISTRATOR", "GRANTS"});
  for (const v1::User& user : users) {
    table.AddRow({ShortName(user), TypeName(user.type()), YesOrNo(user.disabled()), YesOrNo(user.administrator()),
                  GrantsInRow(user)});
  }
  return table.ToString();
}

}  // namespace pat::patctl
