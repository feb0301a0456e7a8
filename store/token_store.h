// TokenReader and TokenStore: where tokens and their owners are kept.
//
// TokenReader is the read half; most of the program gets no more than that. TokenStore adds writes. Engines: memory
// (store/memory, the reference) and RocksDB (store/rocksdb); both pass one conformance suite.
//
// Writes are transactions given as a function. The engine runs the function against what is committed plus what the
// same group of waiting mutations has staged before it, so every rule (a free name, a count, an etag, an epoch) is
// decided inside the store and holds however many processes write to it. An engine whose data is shared by several
// machines may run the function again: it must have no effect but its writes to the transaction and to variables that
// it overwrites.
//
// Threads: everything here is thread-safe, except a TokenTransaction, which belongs to the function it is given to.
// That function must read through its transaction only: a call of the store itself from inside may wait for ever.
//
// Errors: kUnavailable (the engine could not read or write; after a failed fsync all further mutations, until restart),
// kResourceExhausted (the disk is full: nothing was done; recovers by itself), kDataLoss (a record that does not
// decode). "Not found" is not an error: it is an empty optional. The text of an error is for the log, never for a
// caller.
#ifndef PAT_STORE_TOKEN_STORE_H_
#define PAT_STORE_TOKEN_STORE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/records.h"
#include "store/uid.h"

namespace pat {

// Everything that the judgement of one token needs, read at one point of the store's history.
struct TokenSnapshot {
  TokenRecord token;
  UserRecord owner;
  uint64_t global_epoch = 0;
  PolicyRecord policy = {};
};

// Whether a read may wait for a disk.
enum class Blocking : uint8_t { kAllowed, kForbidden };

struct FindOutcome {
  // True: the answer is not in memory and Blocking::kForbidden was given. Ask again with kAllowed, from a thread that
  // may wait. `found` is empty then.
  bool would_block = false;
  std::optional<TokenSnapshot> found = std::nullopt;
};

struct TokenQuery {
  std::optional<UserUid> owner = std::nullopt;  // Absent: the tokens of everybody.
  bool include_revoked = false;
  uint64_t after_sequence = 0;  // Only tokens whose create_sequence is greater.
  size_t limit = 50;
};

struct TokenPage {
  std::vector<TokenRecord> tokens;  // By create_sequence, oldest first.
  bool more = false;                // The list may go on behind `up_to`. False: this is all.
  // All that was asked for until the token of this create_sequence is in `tokens`. To go on: after it.
  uint64_t up_to = 0;
};

// How many tokens a page of ListTokens may pass over that do not belong to the list any more. Behind so many it ends:
// it is shorter than its limit, perhaps empty, and says that there is more.
inline constexpr size_t kMostPassedOver = 1000;

struct UserQuery {
  std::string after_id = {};  // Only users whose id is greater, byte by byte.
  size_t limit = 50;
};

struct UserPage {
  std::vector<UserRecord> users;  // By id.
  bool more = false;
};

// The place of a row in the audit log. Ordered by time, then sequence.
struct AuditPosition {
  absl::Time time = absl::InfinitePast();
  uint64_t sequence = 0;

  friend bool operator==(const AuditPosition&, const AuditPosition&) = default;
  friend std::strong_ordering operator<=>(const AuditPosition& a, const AuditPosition& b) {
    if (a.time < b.time) return std::strong_ordering::less;
    return b.time < a.time ? std::strong_ordering::greater : a.sequence <=> b.sequence;
  }
};

// All conditions that are given must hold.
struct AuditQuery {
  std::optional<std::string> user_id = std::nullopt;  // Who acted for this user, or on something of this user's.
  std::optional<TokenUid> token = std::nullopt;       // Done to this token.
  absl::Time start = absl::InfinitePast();            // start <= time < end.
  absl::Time end = absl::InfiniteFuture();
  bool newest_first = false;
  std::optional<AuditPosition> after = std::nullopt;  // Only rows behind this one, in the order of the list.
  size_t limit = 50;
};

struct AuditPage {
  std::vector<AuditRecord> rows;
  bool more = false;
};

// What a mutation made that whoever keeps facts of tokens may have to drop: an answer of FindByHmac, made before it,
// may be another one now. The engine finds that out by itself; see TokenTransaction.
struct Change {
  enum class Kind : uint8_t {
    kToken = 1,       // This token.
    kOwner = 2,       // Every token of this user.
    kEverything = 3,  // Every token.
  };

  uint64_t sequence = 0;  // Of the mutation.
  Kind kind = Kind::kEverything;
  TokenUid token = {};        // kToken only.
  std::string owner_id = {};  // kOwner only.

  friend auto operator<=>(const Change&, const Change&) = default;  // NOLINT(modernize-use-nullptr)
};

struct ChangePage {
  // In the order of mutations; within one each once, by kind, then token or owner.
  std::vector<Change> changes;
  // All changes after the position that was asked for, until this mutation, are in `changes`. To go on: from here.
  uint64_t up_to = 0;
  // There may have been changes after that position that are not here any more, or it is not one of this store's
  // history: whoever was there has to start over, from `up_to`. `changes` is empty then.
  bool truncated = false;
};

class TokenReader {
 public:
  virtual ~TokenReader() = default;

  // The token under the first of `candidates` that is known (one candidate per pepper), with its owner and the epochs,
  // from one snapshot, and the policy. Revoked and expired tokens are found too, until they are purged: judging is the
  // caller's part. (Here `revoke_time` is only the token's own: compare its epochs with the current ones.) A
  // token whose owner is gone is not found. The HMAC of a secret that was replaced by regenerating is not found.
  virtual absl::StatusOr<FindOutcome> FindByHmac(absl::Span<const TokenHmac> candidates, Blocking blocking) const = 0;

  // A page straight from an index: the work is proportional to the page, not to what is stored. (In the list of
  // everybody's unrevoked tokens those that ended with their owner's epoch are passed over one by one, until purged; at
  // most kMostPassedOver in a page.)
  //
  // A token that ended with its epoch or with its owner has, here and in every other read but FindByHmac, the time of
  // that (of both: the earlier) as `revoke_time`, unless it had one of its own: so "revoked" is one question.
  virtual absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const = 0;

  virtual absl::StatusOr<UserPage> ListUsers(const UserQuery& query) const = 0;

  // A page of the audit log, from the index of the token or of the user, if one is asked for.
  virtual absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query) const = 0;

  virtual absl::StatusOr<PolicyRecord> GetPolicy() const = 0;

  // Point reads.
  virtual absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) const = 0;
  virtual absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) const = 0;
  virtual absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) const = 0;
  virtual absl::StatusOr<CacheBoundRecord> GetCacheBound() const = 0;

  // The peppers under which tokens are kept, each once, in order. One step for each, however many tokens there are.
  virtual absl::StatusOr<std::vector<PepperId>> PepperIds() const = 0;

  // The number of the last committed mutation; 0 in a new store. Never goes down, also over a reopen, but for mutations
  // of CommitWithoutSync that a crash took back.
  virtual uint64_t CommitSequence() const = 0;

  // The number of the last mutation that no crash takes back. Behind CommitSequence() if the newest ones are of
  // CommitWithoutSync(). Never goes down.
  virtual uint64_t DurableSequence() const = 0;

  // What changed after mutation `after_sequence`, as far as it is durable: a number that a crash could give to another
  // mutation never leaves the store as a position. About `limit` changes: those of one mutation are never split.
  virtual absl::StatusOr<ChangePage> ListChanges(uint64_t after_sequence, size_t limit) const = 0;

  // Waits, in real time, until DurableSequence() > after_sequence; false if that did not come within `timeout`, or
  // waiting has been ended.
  virtual bool WaitForCommit(uint64_t after_sequence, absl::Duration timeout) const = 0;

  // From now on nobody waits in WaitForCommit(), and whoever does returns. For the end of the program.
  virtual void EndWaiting() = 0;

  // Random, made with the store: tells one store (and later one restored from a backup) from another.
  virtual std::string Incarnation() const = 0;
};

// One mutation under way. Reads see the committed state plus what earlier mutations of the same group and this function
// itself have written. Nothing is visible to TokenReader before the whole group is durable.
class TokenTransaction {
 public:
  virtual ~TokenTransaction() = default;

  // This mutation's number, if it commits: greater than that of every mutation before it. A number may stay unused.
  virtual uint64_t Sequence() const = 0;
  virtual absl::StatusOr<uint64_t> GlobalEpoch() = 0;

  virtual absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) = 0;
  virtual absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) = 0;
  virtual absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) = 0;
  virtual absl::StatusOr<std::optional<RequestRecord>> GetRequest(absl::string_view key) = 0;
  virtual absl::StatusOr<CacheBoundRecord> GetCacheBound() = 0;
  virtual absl::StatusOr<PolicyRecord> GetPolicy() = 0;

  // How many administrators can log in: are local, enabled and have a password. One step, from a counter.
  virtual absl::StatusOr<uint64_t> CountAdministrators() = 0;

  // A token of this owner with this display name that is live at `now`. "Live": not revoked, which is to have no
  // revoke_time and the owner's current epochs, and `now` is before both its expire_time and the end that GetPolicy()'s
  // maximum_lifespan gives its secret (EffectiveExpireTime in record_rules.h). There is at most one if the caller keeps
  // it so, and the lifespan is never raised again: that brings tokens back whose names others have by then.
  virtual absl::StatusOr<std::optional<TokenUid>> FindLiveByDisplayName(const UserRecord& owner,
                                                                        absl::string_view display_name,
                                                                        absl::Time now) = 0;

  // How many tokens of this owner are live at `now`, as above; counting stops at `limit`. Those that a lowered lifespan
  // has ended are passed over one by one until their own expire_time.
  virtual absl::StatusOr<size_t> CountLive(const UserRecord& owner, absl::Time now, size_t limit) = 0;

  // At most `limit` tokens that ended before `cutoff`: were revoked, by themselves or with their epoch or owner, or
  // expired, whichever came first. In no particular order. The work is proportional to what is found, if what was found
  // before was deleted.
  virtual absl::StatusOr<std::vector<TokenUid>> ListEnded(absl::Time cutoff, size_t limit) = 0;

  // At most `limit` keys of requests to be forgotten before `cutoff`.
  virtual absl::StatusOr<std::vector<std::string>> ListForgettableRequests(absl::Time cutoff, size_t limit) = 0;

  // Inserts or replaces, with every index. `uid`, `owner`, `owner_id`, `epochs` and `create_sequence` of a token never
  // change, nor do `uid` and `id` of a user, and an id has one uid: else kInvalidArgument, nothing staged.
  // `token_epoch` of a user is RevokeAll's alone: another than the current one (0 for a new user) is kInvalidArgument
  // too. So is a token that was made in other epochs than the current ones, whether it is new or a change, or whose
  // owner is not there; and a new token whose create_sequence is not Sequence(). Two tokens with one HMAC:
  // kAlreadyExists, nothing staged. A page of a list cannot end between two tokens with one create_sequence: make one
  // token per mutation.
  //
  // A Change of the token or user is kept with it if a record was replaced and anything in it is another now that a
  // read looks at: of a token all but display_name and description; of a user type, disabled and grants. RevokeAll and
  // DeleteUser always make one. PutPolicy makes one of everything, unless only maximum_live_tokens is another.
  virtual absl::Status PutToken(const TokenRecord& token) = 0;
  virtual absl::Status PutUser(const UserRecord& user) = 0;
  virtual absl::Status PutPassword(const UserUid& user, const PasswordRecord& password) = 0;
  virtual absl::Status PutRequest(absl::string_view key, const RequestRecord& request) = 0;
  virtual absl::Status PutCacheBound(const CacheBoundRecord& bound) = 0;
  virtual absl::Status PutPolicy(const PolicyRecord& policy) = 0;

  // Adds a row to the audit log, under (time, sequence); at most one in a mutation. kInvalidArgument if `sequence` is
  // not Sequence() or `count` is 0, kAlreadyExists if the row is there already.
  virtual absl::Status PutAudit(const AuditRecord& row) = 0;

  // Raises the token's last_use_time to `time`, cut to the minute; an earlier one, or a token that is not there, is
  // left alone. Does not change the token's change_sequence.
  virtual absl::Status NoteUse(const TokenUid& uid, absl::Time time) = 0;

  // Ends the current epoch of the owner, or of everybody: all tokens that were made before are revoked at `time`.
  // Constant work, however many they are. Returns how many were not revoked before, expired ones included: exact, also
  // counting what this group has staged. Does not change the user's change_sequence. A user who is not there: 0.
  virtual absl::StatusOr<uint64_t> RevokeAll(const std::optional<UserUid>& owner, absl::Time time) = 0;

  // Removes the user and the password, and ends the user's tokens as RevokeAll does (constant work, same count): they
  // are revoked at `time`, and stay to be looked at until they are purged. The id is free for another user. A user who
  // is not there: 0.
  virtual absl::StatusOr<uint64_t> DeleteUser(const UserUid& uid, absl::Time time) = 0;

  // Removes the record and every index row. Removing what is not there is not an error. Of a token that has ended: so
  // this makes no Change.
  virtual absl::Status DeleteToken(const TokenUid& uid) = 0;
  virtual absl::Status DeleteRequest(absl::string_view key) = 0;

  // Removes the oldest rows of the audit log, of those before `cutoff`; at most `limit`. How many they were.
  virtual absl::StatusOr<size_t> DeleteAuditBefore(absl::Time cutoff, size_t limit) = 0;

  // Removes the oldest changes, of those until mutation `sequence`; at most `limit`. How many they were. Whoever was at
  // a position before the last of them has to start over from now on.
  virtual absl::StatusOr<size_t> DeleteChangesThrough(uint64_t sequence, size_t limit) = 0;
};

// What the function of a mutation decided: keep what it staged, or leave the store as it was and still succeed (a dry
// run, or a change that is there already).
enum class Decision : uint8_t { kCommit, kDiscard };

using Mutation = absl::FunctionRef<absl::StatusOr<Decision>(TokenTransaction&)>;

class TokenStore : public TokenReader {
 public:
  // Runs `mutation` and, if it says kCommit, returns when its writes are durable and visible to every later read. An
  // error from `mutation` is returned as it is, and nothing of it is kept. kUnavailable from a write or fsync means
  // that the outcome is not known: wholly there or wholly absent. The function may run on another thread, while this
  // one waits.
  virtual absl::Status Commit(Mutation mutation) = 0;

  // The same, but returns when the writes are visible, not when they are durable: a crash may take the last of them
  // back (those of the last seconds), in order, and never one that Commit() acknowledged since. For what may be lost:
  // uses, refusals.
  virtual absl::Status CommitWithoutSync(Mutation mutation) = 0;
};

}  // namespace pat

#endif  // PAT_STORE_TOKEN_STORE_H_
