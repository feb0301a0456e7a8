#include "client/patctl/scope_picker.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/paging.h"
#include "client/patctl/prompt.h"
#include "client/patctl/table.h"
#include "client/patctl/text.h"

namespace pat::patctl {
namespace {

// The scopes of one resource, and of which product it is.
struct Resource {
  std::string name;
  std::string product;
  std::vector<v1::Scope> scopes;
};

std::vector<Resource> ByResource(const std::vector<v1::Scope>& scopes) {
  std::map<std::string, Resource> resources;
  for (const v1::Scope& scope : scopes) {
    Resource& resource = resources[scope.resource()];
    resource.name = scope.resource();
    resource.product = scope.product();
    resource.scopes.push_back(scope);
  }
  std::vector<Resource> list;
  for (auto& [name, resource] : resources) list.push_back(std::move(resource));
  return list;
}

void ShowResources(const std::vector<Resource>& resources, Session& session) {
  Table table;
  for (size_t i = 0; i < resources.size(); ++i) {
    const size_t count = resources[i].scopes.size();
    table.AddRow({absl::StrCat(i + 1), resources[i].name, resources[i].product,
                  absl::StrCat(count, count == 1 ? " scope" : " scopes")});
  }
  session.Say("\nWhat may the token do? Choose a resource, then the fewest of its scopes that are enough.");
  session.console().err() << table.ToString();
}

void ShowScopes(const Resource& resource, Session& session) {
  Table table;
  for (size_t i = 0; i < resource.scopes.size(); ++i) {
    table.AddRow({absl::StrCat(i + 1), resource.scopes[i].name(), resource.scopes[i].description()});
  }
  session.console().err() << "\n" << table.ToString();
}

// By number or by name; nullptr: there is no such resource.
const Resource* FindResource(const std::vector<Resource>& resources, const std::string& answer) {
  size_t number = 0;
  if (absl::SimpleAtoi(answer, &number) && number >= 1 && number <= resources.size()) return &resources[number - 1];
  for (const Resource& resource : resources) {
    if (absl::EqualsIgnoreCase(resource.name, answer)) return &resource;
  }
  return nullptr;
}

// Adds scopes of the resource to `chosen`. Nothing typed: none.
absl::Status ChooseFrom(const Resource& resource, std::vector<std::string>& chosen, Session& session) {
  ShowScopes(resource, session);
  while (true) {
    const auto answer = Ask("scopes (numbers, as in 1 3-5; nothing: none of these): ", session);
    if (!answer.ok()) return answer.status();
    const auto selection = ParseSelection(*answer, resource.scopes.size());
    if (!selection.ok()) {
      session.Say(selection.status().message());
      continue;
    }
    for (size_t index : *selection) {
      const std::string& name = resource.scopes[index].name();
      if (std::find(chosen.begin(), chosen.end(), name) == chosen.end()) chosen.push_back(name);
    }
    return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<std::vector<v1::Scope>> FetchScopes(absl::string_view query, Session& session) {
  std::vector<v1::Scope> scopes;
  v1::ListScopesRequest request;
  request.set_query(std::string(query));
  absl::Status status = ForEachPage(
      session.tokens(), &v1::TokenService::Stub::ListScopes, std::move(request),
      [&scopes](const v1::ListScopesResponse& page) {
        scopes.insert(scopes.end(), page.scopes().begin(), page.scopes().end());
      },
      session);
  if (!status.ok()) return status;
  return scopes;
}

absl::StatusOr<std::vector<std::string>> PickScopes(Session& session) {
  const auto scopes = FetchScopes("", session);
  if (!scopes.ok()) return scopes.status();
  const std::vector<Resource> resources = ByResource(*scopes);
  if (resources.empty()) return Failed("the server has no scopes to choose from");

  std::vector<std::string> chosen;
  ShowResources(resources, session);
  while (true) {
    const auto answer = Ask(
        chosen.empty() ? "resource (number or name): " : "another resource (number or name; nothing: that is all): ",
        session);
    if (!answer.ok()) return answer.status();
    if (answer->empty()) {
      if (!chosen.empty()) return chosen;
      session.Say("a token has at least one scope");
      continue;
    }
    const Resource* resource = FindResource(resources, *answer);
    if (resource == nullptr) {
      session.Say(absl::StrCat("give a number from 1 to ", resources.size(), " or the name of a resource"));
      continue;
    }
    if (absl::Status status = ChooseFrom(*resource, chosen, session); !status.ok()) return status;
    if (!chosen.empty()) session.Say(absl::StrCat("chosen: ", Printable(absl::StrJoin(chosen, ", "))));
  }
}

absl::StatusOr<std::vector<size_t>> ParseSelection(absl::string_view text, size_t count) {
  std::vector<size_t> indices;
  for (absl::string_view item : absl::StrSplit(text, absl::ByAnyChar(", \t"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(item, absl::MaxSplits('-', 1));
    size_t first = 0;
    size_t last = 0;
    const bool range = absl::StrContains(item, "-");
    if (!absl::SimpleAtoi(ends.first, &first) || !absl::SimpleAtoi(range ? ends.second : ends.first, &last) ||
        first < 1 || last > count || first > last) {
      return UsageError(absl::StrCat("\"", Printable(item), "\": give numbers from 1 to ", count, ", as in 1 3-5"));
    }
    for (size_t number = first; number <= last; ++number) indices.push_back(number - 1);
  }
  return indices;
}

}  // namespace pat::patctl
