// Finding the token that a person means.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_TOKEN_LOOKUP_H_
#define PAT_CLIENT_PATCTL_TOKEN_LOOKUP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/patctl/options.h"
#include "client/patctl/session.h"

namespace pat::patctl {

// All tokens of a parent, "users/ada" or "users/-". Follows the pages to the end.
absl::StatusOr<std::vector<v1::Token>> FetchTokens(const std::string& parent, bool show_revoked, Session& session);

// The resource name, if that can be told without the server: `reference` is one, or is the uid of a token of `parent`.
std::optional<std::string> ResourceName(absl::string_view reference, const std::string& parent);

// INVALID_ARGUMENT: the reference is a token's secret, which belongs into no argument and into no request of this kind;
// or it is the full name of a token of somebody else than the owner that is given.
absl::Status CheckReference(const TokenSelection& selection);

// CheckReference, and also INVALID_ARGUMENT if a token asks, by anything but the full name, or its ID and --owner: it
// can list no tokens, and whose it is it does not say.
absl::Status CheckSelection(const TokenSelection& selection, const Session& session);

// The token, from the server. A reference that is no resource name and no uid is a display name: then exactly one of
// the tokens that are not revoked must have it, or the error names those that do.
absl::StatusOr<v1::Token> FindToken(const TokenSelection& selection, Session& session);

// Its resource name, with no call to the server if none is needed.
absl::StatusOr<std::string> FindTokenName(const TokenSelection& selection, Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TOKEN_LOOKUP_H_
