// The column families of the database: one per kind of row, because the kinds are read in different ways.
#ifndef PAT_STORE_ROCKSDB_FAMILIES_H_
#define PAT_STORE_ROCKSDB_FAMILIES_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace pat::rocks {

// In memory only: on disk a family is known by its name.
enum class Family : uint8_t {
  kMeta,       // Facts about the store itself. RocksDB's "default".
  kTokens,     // Token records by uid.
  kHmacs,      // The uid of the token under an HMAC.
  kLists,      // Lists of tokens in order of creation.
  kLive,       // Per owner: tokens that are not revoked, by display name and by expiry.
  kEnded,      // Tokens by their end.
  kUsers,      // User records by uid, and the uid under an id.
  kPasswords,  // Password records by the user's uid.
  kRequests,   // Request records by key, and their keys by forget time.
  kEpochs,     // How many unrevoked tokens an epoch has, and when it ended.
  kAudit,      // Rows of the audit log by time, and their places by user and by token.
  kUses,       // When a token was last used, by its uid.
  kChanges,    // What caches have to drop, in the order of mutations.
};

inline constexpr size_t kFamilyCount = 13;
inline constexpr std::array<const char*, kFamilyCount> kFamilyNames = {
    "default",   "tokens",   "hmacs",  "lists", "live", "ended",  "users",
    "passwords", "requests", "epochs", "audit", "uses", "changes"};

constexpr size_t IndexOf(Family family) { return static_cast<size_t>(family); }

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_FAMILIES_H_
