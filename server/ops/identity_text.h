// Identities as they are written in a flag: "spiffe=spiffe://example.org/web,role=portal,users=admin+ops".
#ifndef PAT_SERVER_OPS_IDENTITY_TEXT_H_
#define PAT_SERVER_OPS_IDENTITY_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/authn/identities.h"

namespace pat {

inline constexpr char kIdentityKeysText[] = "spiffe, uri or dns, and role, digests, users";

// spiffe, uri, dns, role, digests, users.
bool IsIdentityKey(absl::string_view key);

// Pairs of key and value, separated by commas; several users by "+". In a URI a comma that no key
// and "=" follow is part of it. Only the form is judged here: INVALID_ARGUMENT for what has no such pairs, a key
// that is none or is given twice, and digests that are neither true nor false. What the values may be says
// IdentityTable::Create().
absl::StatusOr<IdentityEntry> ParseIdentityText(absl::string_view text);

}  // namespace pat

#endif  // PAT_SERVER_OPS_IDENTITY_TEXT_H_
