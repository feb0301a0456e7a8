// Choosing scopes at the terminal.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_SCOPE_PICKER_H_
#define PAT_CLIENT_PATCTL_SCOPE_PICKER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/patctl/session.h"

namespace pat::patctl {

// The scopes of the catalogue with all the words of `query`; empty: all. Follows the pages to the end.
absl::StatusOr<std::vector<v1::Scope>> FetchScopes(absl::string_view query, Session& session);

// Offers the catalogue, first the resources, then the scopes of one, until at least one scope is chosen and the person
// wants no more. In the order in which they were chosen, each once. CANCELLED: the input ended.
absl::StatusOr<std::vector<std::string>> PickScopes(Session& session);

// What of `count` things somebody means with "1 3-5,7": indices from 0, as often and in the order as they are named.
// INVALID_ARGUMENT: a number that is none of 1 to `count`.
absl::StatusOr<std::vector<size_t>> ParseSelection(absl::string_view text, size_t count);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_SCOPE_PICKER_H_
