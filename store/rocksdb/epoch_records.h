// What is kept of epochs: how many unrevoked tokens each has, and when it ended. store/FORMAT.md has the bytes.
#ifndef PAT_STORE_ROCKSDB_EPOCH_RECORDS_H_
#define PAT_STORE_ROCKSDB_EPOCH_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "store/records.h"

namespace pat::rocks {

// An epoch that has ended, and where ListEnded goes on in the list of its tokens: no token that is still there was made
// by an earlier mutation than `resume`.
struct EpochEnd {
  absl::Time time;
  uint64_t resume = 0;

  friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};

// One pair of epochs of one owner. There is a row as long as there is a token in it without a revoke_time of its own.
struct OwnerEpochRecord {
  uint64_t unrevoked = 0;            // Those tokens, whatever ended the epoch.
  std::optional<EpochEnd> end = {};  // Ended by RevokeAll of this owner or DeleteUser.

  friend bool operator==(const OwnerEpochRecord&, const OwnerEpochRecord&) = default;
};

// A global epoch that has ended. These rows stay: each says where in the order of creation the next epoch begins.
struct GlobalEpochRecord {
  uint64_t unrevoked = 0;  // Tokens in it without a revoke_time of their own that are not purged yet.
  EpochEnd end = {};
  uint64_t last_sequence = 0;  // The mutation that ended it: no token of it was made later.

  friend bool operator==(const GlobalEpochRecord&, const GlobalEpochRecord&) = default;
};

// Exact counts, kept in the write batch of what they count.
struct Counters {
  uint64_t unrevoked = 0;           // Tokens that are not revoked in any way.
  uint64_t unrevoked_in_epoch = 0;  // Tokens of the current global epoch without a revoke_time of their own.
  uint64_t administrators = 0;      // Those who can log in: local, enabled, with a password.

  friend bool operator==(const Counters&, const Counters&) = default;
};

// What every mutation and every reader needs to know of the store, at one point of its history.
struct StoreState {
  uint64_t sequence = 0;          // Of the last mutation.
  uint64_t durable_sequence = 0;  // Of the last mutation that no crash takes back.
  uint64_t global_epoch = 0;
  Counters counters = {};
  std::shared_ptr<const PolicyRecord> policy = nullptr;  // Never null in an open store.
};

// When the tokens of a pair of epochs ended with them, from the rows of the pair and of its global epoch; nullopt: they
// did not. The earlier of two, so that no later end makes it later.
std::optional<absl::Time> EndOfEpochs(const std::optional<OwnerEpochRecord>& owner_epoch,
                                      const std::optional<GlobalEpochRecord>& global_epoch);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_EPOCH_RECORDS_H_
