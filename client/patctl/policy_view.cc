#include "client/patctl/policy_view.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "client/patctl/table.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {

std::string ShowPolicy(const v1::Policy& policy) {
  Table table;
  table.AddRow({"TOKENS", policy.tokens_disabled() ? "DISABLED" : "ENABLED"});
  table.AddRow({"MAXIMUM LIFESPAN", FormatExactly(ToDuration(policy.maximum_lifespan()))});
  table.AddRow({"MAXIMUM LIVE TOKENS", absl::StrCat(policy.maximum_live_tokens(), " for each user")});
  table.AddList("FORBIDDEN SCOPES",
                policy.forbidden_scopes().empty()
                    ? std::vector<std::string>{"none"}
                    : std::vector<std::string>(policy.forbidden_scopes().begin(), policy.forbidden_scopes().end()));
  return table.ToString();
}

}  // namespace pat::patctl
