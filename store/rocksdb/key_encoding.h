// The keys of all rows. Byte by byte in store/FORMAT.md; a change here is a change of the disk format.
//
// Families that hold rows of several kinds begin each key with a letter for the kind. A …Prefix function gives what all
// rows of one list have in common, in the order in which the list is read; the rest of the key ends with the 16 bytes
// of a uid, which UidAtEnd takes out. Thread-safe: no state.
#ifndef PAT_STORE_ROCKSDB_KEY_ENCODING_H_
#define PAT_STORE_ROCKSDB_KEY_ENCODING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/records.h"
#include "store/token_store.h"
#include "store/uid.h"

namespace pat::rocks {

// Family::kMeta. Readable names; there are few.
inline constexpr absl::string_view kFormatKey = "format";
inline constexpr absl::string_view kIncarnationKey = "incarnation";
inline constexpr absl::string_view kDevelopmentKey = "development";
inline constexpr absl::string_view kSequenceKey = "sequence";
inline constexpr absl::string_view kGlobalEpochKey = "global_epoch";
inline constexpr absl::string_view kCacheBoundKey = "cache_bound";
inline constexpr absl::string_view kPolicyKey = "policy";
inline constexpr absl::string_view kCountersKey = "counters";
inline constexpr absl::string_view kChangeFloorKey = "change_floor";

// Families kTokens, kPasswords and kUses, and the value of rows that point at a token or user: the 16 bytes of the uid.
template <typename Kind>
std::string UidBytes(const Uid<Kind>& uid) {
  return std::string(reinterpret_cast<const char*>(uid.bytes.data()), uid.bytes.size());
}

// The uid in the last 16 bytes of a key, or of a value that is nothing else. Nullopt: too short.
std::optional<TokenUid> UidAtEnd(absl::string_view key);

// Family::kHmacs.
std::string HmacKey(const TokenHmac& hmac);
// The pepper in a key made by HmacKey; nullopt: too short.
std::optional<PepperId> PepperIdOf(absl::string_view hmac_key);

// Family::kLists: all tokens, those without a revoke_time, and the same of one owner; there, the list of unrevoked
// tokens is one of its own for each pair of epochs.
std::string AllPrefix();
std::string UnrevokedPrefix();
std::string OwnerAllPrefix(const UserUid& owner);
std::string OwnerUnrevokedPrefix(const UserUid& owner, const Epochs& epochs);
// A place in one of these lists: in front of every token that was made by this mutation or a later one.
std::string ListPosition(std::string prefix, uint64_t create_sequence);
std::string ListKey(std::string prefix, uint64_t create_sequence, const TokenUid& uid);
// The create_sequence in a key made by ListKey.
std::optional<uint64_t> CreateSequenceOf(absl::string_view list_key);

// Family::kLive. What a row says of its token's end: the policy's maximum lifespan, which may be another when the row
// is read, counts from `secret_time`.
struct LiveTimes {
  absl::Time expire_time;
  absl::Time secret_time;

  friend bool operator==(const LiveTimes&, const LiveTimes&) = default;
};

// By name: of one owner, pair of epochs and display name, the latest expiry first.
std::string LiveNamePrefix(const UserUid& owner, const Epochs& epochs, absl::string_view display_name);
std::string LiveNameKey(std::string prefix, const LiveTimes& times, const TokenUid& uid);
// The times in a key made by LiveNameKey.
std::optional<LiveTimes> LiveTimesOfNameKey(absl::string_view live_name_key);

// By expiry: of one owner and pair of epochs, the earliest expiry first.
std::string LiveExpiryPrefix(const UserUid& owner, const Epochs& epochs);
// A place in that list: in front of the first token that expires after `now`.
std::string LiveExpiryPosition(std::string prefix, absl::Time now);
std::string LiveExpiryKey(std::string prefix, const LiveTimes& times, const TokenUid& uid);
// The times in a key made by LiveExpiryKey.
std::optional<LiveTimes> LiveTimesOfExpiryKey(absl::string_view live_expiry_key);

// Family::kEnded: the earliest end first. The position is behind every token that ended before `cutoff`.
std::string EndedPosition(absl::Time cutoff);
std::string EndedKey(absl::Time end, const TokenUid& uid);

// Family::kUsers.
std::string UserKey(const UserUid& uid);
// The same from the value of a row under UserIdKey.
std::string UserKeyOf(absl::string_view uid_bytes);
std::string UserIdKey(absl::string_view id);
// Whether a key of the family is one of a record, made by UserKey.
bool IsUserKey(absl::string_view key);
// All ids, in order; and a place there: in front of every id that is greater.
std::string UserIdPrefix();
std::string UserIdPosition(absl::string_view after_id);

// Family::kRequests. The forget rows are ordered by time; the position is behind all that are to be forgotten before
// `cutoff`.
std::string RequestKey(absl::string_view key);
// What RequestKey was given; nullopt for a key of the other kind.
std::optional<absl::string_view> RequestKeyOf(absl::string_view row);
std::string ForgetPrefix();
std::string ForgetPosition(absl::Time cutoff);
std::string ForgetKey(absl::Time forget_time, absl::string_view key);
// The key of the request in a key made by ForgetKey.
std::optional<absl::string_view> RequestOf(absl::string_view forget_key);

// Family::kEpochs. One row for each pair of epochs of an owner, one for each global epoch that has ended, and, in the
// order of their ends, a row with the key of each of these that has ended and has tokens left.
std::string OwnerEpochsPrefix(const UserUid& owner);
std::string OwnerEpochKey(const UserUid& owner, const Epochs& epochs);
std::string GlobalEpochKey(uint64_t epoch);
std::string EpochEndPrefix();
// Behind all that ended before `cutoff`.
std::string EpochEndPosition(absl::Time cutoff);
std::string EpochEndKey(absl::Time end, absl::string_view epoch_key);
// What a key of the family is the key of; nullopt: none of that kind.
struct OwnerEpoch {
  UserUid owner;
  Epochs epochs;

  friend auto operator<=>(const OwnerEpoch&, const OwnerEpoch&) = default;  // NOLINT(modernize-use-nullptr)
};
std::optional<OwnerEpoch> OwnerEpochOf(absl::string_view key);
std::optional<uint64_t> GlobalEpochOf(absl::string_view key);
std::optional<absl::string_view> EpochKeyOf(absl::string_view end_key);
// The pair of epochs in a key of Family::kLists made with OwnerUnrevokedPrefix.
std::optional<OwnerEpoch> OwnerEpochOfListKey(absl::string_view list_key);

// Family::kAudit: all rows, those about a user, those about a token, each in order of (time, sequence).
std::string AuditPrefix();
std::string AuditUserPrefix(absl::string_view user_id);
std::string AuditTokenPrefix(const TokenUid& token);
// In front of all rows from `time` on; from this row on (or the key of it).
std::string AuditPlace(std::string prefix, absl::Time time);
std::string AuditKey(std::string prefix, absl::Time time, uint64_t sequence);
// The key of the row itself from a key of any of the three.
std::optional<std::string> AuditRowKeyOf(absl::string_view key);
bool IsAuditRowKey(absl::string_view key);

// Family::kChanges: the key is all there is of a change. The position is in front of all changes of this mutation.
std::string ChangePosition(uint64_t sequence);
std::string ChangeKey(const Change& change);
// Nullopt: not made by ChangeKey.
std::optional<Change> ChangeOf(absl::string_view key);

// The first key behind all that begin with `prefix`. `prefix` must hold a byte other than ff.
std::string EndOfPrefix(std::string prefix);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_KEY_ENCODING_H_
