// IdentityTable: which certificate is whom. What the configuration says under `identities`, checked once.
//
// An entry names a certificate by one thing and gives it a role:
//
//   {spiffe: spiffe://example.org/gateway, role: introspector, digests: true}
//   {uri: https://portal.example.org/web, role: portal, users: [admin]}
//   {dns: laptop-7.example.org, role: user}
//
// `spiffe` is compared with the certificate's SPIFFE ID, which a certificate with a second URI does not have; `uri`
// with each URI in it, and never holds one of the spiffe scheme; `dns` with each DNS name, whatever its case. No
// wildcards, on neither side: "*.example.org" in a certificate is nobody.
//
// Threads: immutable; may be read from any thread.
#ifndef PAT_SERVER_AUTHN_IDENTITIES_H_
#define PAT_SERVER_AUTHN_IDENTITIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/authn/call_info.h"

namespace pat {

// As it is written in the configuration. What is not there is empty.
struct IdentityEntry {
  std::string spiffe = {};  // Exactly one of these three.
  std::string uri = {};
  std::string dns = {};
  std::string role = {};                // "introspector", "portal" or "user".
  bool digests = false;                 // Introspectors: may ask about token_sha256.
  std::vector<std::string> users = {};  // Portals: the administrators for whom it may act too, "admin".
};

enum class IdentityRole : uint8_t {
  kIntrospector,
  kPortal,
  kUser,  // May present a password or a token; nothing else.
};

struct Identity {
  std::string name;  // The entry's spiffe, uri or dns.
  IdentityRole role = IdentityRole::kUser;
  bool digests = false;
  std::vector<std::string> users = {};  // Sorted.
};

class IdentityTable {
 public:
  // Nobody has a role.
  IdentityTable() = default;

  // INVALID_ARGUMENT, one line that names the entry and its key, the value and what would be right:
  // "identities[2].role: \"admin\" is no role; give introspector, portal or user". Refused: none or several of spiffe,
  // uri and dns; what is not well-formed; a uri of the spiffe scheme; a dns name with an upper case letter or a
  // wildcard; digests for others than introspectors, users for others than portals; the same name or user twice.
  static absl::StatusOr<IdentityTable> Create(const std::vector<IdentityEntry>& entries);

  // Whom the certificate stands for, or null. If it matches several entries, and they do not all say the same of role,
  // digests and users, it is nobody (which of them counts is not ours to guess); if they do, the first of them.
  // Allocates nothing, unless a DNS name has upper case letters.
  const Identity* Find(const PeerCertificate& certificate) const;

  // In the order of the configuration.
  absl::Span<const Identity> identities() const { return identities_; }

 private:
  // From a name to the index of its identity. Three name spaces: one may hold what another holds.
  using Index = absl::flat_hash_map<std::string, uint32_t>;

  std::vector<Identity> identities_;
  Index by_spiffe_;
  Index by_uri_;
  Index by_dns_;
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_IDENTITIES_H_
