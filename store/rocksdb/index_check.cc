#include "store/rocksdb/index_check.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/record_rules.h"
#include "store/rocksdb/epoch_records.h"
#include "store/rocksdb/families.h"
#include "store/rocksdb/index_rows.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {
namespace {

constexpr size_t kMaxReported = 10;

// Forward, each record's index rows are looked up; backward it is enough to count. Each record's rows have keys of
// their own (they end with the uid or hold the unique key), so if all expected rows are there and a family has no more
// rows than that, there is none too many.
class Checker {
 public:
  Checker(const Database& database, const rocksdb::Snapshot* snapshot) : database_(database) {
    options_.snapshot = snapshot;
    options_.fill_cache = false;
  }

  absl::Status Check() {
    Each(Family::kTokens, [this](absl::string_view key, absl::string_view value) { CheckToken(key, value); });
    Each(Family::kUsers, [this](absl::string_view key, absl::string_view value) { CheckUser(key, value); });
    Each(Family::kRequests, [this](absl::string_view key, absl::string_view value) { CheckRequest(key, value); });
    Each(Family::kPasswords, [this](absl::string_view, absl::string_view value) {
      if (!DecodePassword(value).ok()) Report("a password record does not decode");
    });
    Each(Family::kAudit, [this](absl::string_view key, absl::string_view value) { CheckAudit(key, value); });
    Each(Family::kUses, [this](absl::string_view key, absl::string_view value) { CheckUse(key, value); });
    if (engine_status_.ok()) CheckEpochs();
    if (engine_status_.ok()) CheckChanges();
    for (const Family family : {Family::kHmacs, Family::kLists, Family::kLive, Family::kEnded}) {
      Each(family, [this, family](absl::string_view, absl::string_view) { ++found_[IndexOf(family)]; });
    }
    for (size_t i = 0; i < kFamilyCount; ++i) {
      if (found_[i] != expected_[i]) {
        Report(absl::StrCat(kFamilyNames[i], " has ", found_[i], " index rows, the records make ", expected_[i]));
      }
    }
    if (!engine_status_.ok()) return engine_status_;
    if (problems_.empty()) return absl::OkStatus();
    return absl::DataLossError(absl::StrJoin(problems_, "; "));
  }

 private:
  void Report(std::string problem) {
    if (problems_.size() < kMaxReported) problems_.push_back(std::move(problem));
  }

  void Each(Family family, absl::FunctionRef<void(absl::string_view key, absl::string_view value)> visit) {
    const std::unique_ptr<rocksdb::Iterator> iterator(database_.db().NewIterator(options_, database_.family(family)));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      visit(AsView(iterator->key()), AsView(iterator->value()));
    }
    if (engine_status_.ok()) engine_status_ = FromRocksDb(iterator->status(), kFamilyNames[IndexOf(family)]);
  }

  void CheckRows(const std::vector<Row>& rows, absl::string_view kind) {
    for (const Row& row : rows) {
      ++expected_[IndexOf(row.family)];
      const absl::StatusOr<ReadResult> found = database_.Get(options_, row.family, row.key);
      if (!found.ok()) {
        if (engine_status_.ok()) engine_status_ = found.status();
      } else if (found->value != row.value) {
        Report(absl::StrCat("a ", kind, " lacks its row in ", kFamilyNames[IndexOf(row.family)]));
      }
    }
  }

  void CheckToken(absl::string_view key, absl::string_view value) {
    const absl::StatusOr<TokenRecord> token = DecodeToken(value);
    if (!token.ok()) return Report("a token record does not decode");
    if (key != UidBytes(token->uid)) return Report("a token record stands under another uid");
    CheckRows(IndexRowsOf(*token), "token");
  }

  void CheckUser(absl::string_view key, absl::string_view value) {
    // Records and index rows share the family; an index row is one whose key is not that of a record.
    if (!IsUserKey(key)) {
      ++found_[IndexOf(Family::kUsers)];
      return;
    }
    const absl::StatusOr<UserRecord> user = DecodeUser(value);
    if (!user.ok()) return Report("a user record does not decode");
    if (key != UserKey(user->uid)) return Report("a user record stands under another uid");
    const bool has_password = Get(Family::kPasswords, UidBytes(user->uid)).has_value();
    if (IsActiveAdministrator(*user, has_password)) ++administrators_;
    CheckRows(IndexRowsOf(*user), "user");
  }

  void CheckRequest(absl::string_view key, absl::string_view value) {
    const std::optional<absl::string_view> request_key = RequestKeyOf(key);
    if (!request_key.has_value()) {
      ++found_[IndexOf(Family::kRequests)];
      return;
    }
    const absl::StatusOr<RequestRecord> request = DecodeRequest(value);
    if (!request.ok()) return Report("a request record does not decode");
    CheckRows(IndexRowsOf(*request_key, *request), "request");
  }

  void CheckAudit(absl::string_view key, absl::string_view value) {
    if (!IsAuditRowKey(key)) {
      ++found_[IndexOf(Family::kAudit)];
      return;
    }
    const absl::StatusOr<AuditRecord> row = DecodeAudit(value);
    if (!row.ok()) return Report("an audit record does not decode");
    if (key != AuditKey(AuditPrefix(), row->time, row->sequence))
      return Report("an audit record stands at another place");
    CheckRows(IndexRowsOf(*row), "audit row");
  }

  void CheckUse(absl::string_view key, absl::string_view value) {
    if (!DecodeInstant(value).ok()) return Report("a last use does not decode");
    if (!Get(Family::kTokens, key).has_value()) Report("a last use is of a token that is not there");
  }

  void CheckChanges() {
    const std::string floor_bytes = Get(Family::kMeta, kChangeFloorKey).value_or(EncodeNumber(0));
    const absl::StatusOr<uint64_t> floor = DecodeNumber(floor_bytes);
    const absl::StatusOr<SequenceRow> last = DecodeSequenceRow(Get(Family::kMeta, kSequenceKey).value_or(""));
    if (!floor.ok() || !last.ok())
      return Report("the last mutation or that of the last removed change does not decode");
    if (*floor > last->sequence) Report("a change was removed that was never made");
    Each(Family::kChanges, [&](absl::string_view key, absl::string_view value) {
      const std::optional<Change> change = ChangeOf(key);
      if (!change.has_value() || !value.empty()) return Report("a change does not decode");
      // Of the mutation at the floor itself some may be left.
      if (change->sequence < *floor) Report("a change is left among those that were removed");
      if (change->sequence > last->sequence) Report("a change is of a mutation that is not there");
    });
  }

  // The value under a key of what is here; nullopt also after an error, which is noted.
  std::optional<std::string> Get(Family family, absl::string_view key) {
    absl::StatusOr<ReadResult> found = database_.Get(options_, family, key);
    if (found.ok()) return std::move(found->value);
    if (engine_status_.ok()) engine_status_ = found.status();
    return std::nullopt;
  }

  // ---- Epochs: the rows about them, and then the tokens in them, by the list that has them in order of owner and
  // epochs.

  struct EpochsFound {
    uint64_t owner_epochs = 0;
    uint64_t ends = 0;
    uint64_t ends_expected = 0;
    std::map<uint64_t, GlobalEpochRecord> global;
  };

  void CheckEpochs() {
    const absl::StatusOr<uint64_t> current = DecodeNumber(Get(Family::kMeta, kGlobalEpochKey).value_or(""));
    const absl::StatusOr<Counters> counters = DecodeCounters(Get(Family::kMeta, kCountersKey).value_or(""));
    if (const std::optional<std::string> policy = Get(Family::kMeta, kPolicyKey);
        policy.has_value() && !DecodePolicy(*policy).ok()) {
      Report("the policy does not decode");
    }
    if (!current.ok() || !counters.ok()) return Report("the global epoch or the counters do not decode");

    EpochsFound epochs;
    Each(Family::kEpochs, [&](absl::string_view key, absl::string_view value) { CheckEpochRow(key, value, epochs); });
    if (epochs.ends != epochs.ends_expected) Report("there is another number of ends of epochs than of ended epochs");
    if (epochs.global.size() != *current) Report("there is another number of ended global epochs than there were");

    Counters counted{.administrators = administrators_};
    std::map<uint64_t, uint64_t> unrevoked_by_global_epoch;
    uint64_t owner_epochs = 0;
    std::optional<OwnerEpoch> pair;
    uint64_t tokens = 0;
    uint64_t first = 0;
    const auto finish = [&] {
      if (!pair.has_value()) return;
      ++owner_epochs;
      unrevoked_by_global_epoch[pair->epochs.global] += tokens;
      if (CheckPair(*pair, tokens, first, *current, epochs)) counted.unrevoked += tokens;
    };
    Each(Family::kLists, [&](absl::string_view key, absl::string_view) {
      const std::optional<OwnerEpoch> next = OwnerEpochOfListKey(key);
      if (!next.has_value()) return;
      if (next != pair) {
        finish();
        pair = next;
        tokens = 0;
        first = CreateSequenceOf(key).value_or(0);
      }
      ++tokens;
    });
    finish();
    if (owner_epochs != epochs.owner_epochs) Report("there are owners' epochs without tokens");
    for (const auto& [number, epoch] : epochs.global) {
      if (epoch.unrevoked != unrevoked_by_global_epoch[number]) Report("a global epoch counts wrong");
    }
    counted.unrevoked_in_epoch = unrevoked_by_global_epoch[*current];
    if (counted != *counters) {
      Report(absl::StrCat("the counters are ", counters->unrevoked, ", ", counters->unrevoked_in_epoch, ", ",
                          counters->administrators, "; there are ", counted.unrevoked, ", ", counted.unrevoked_in_epoch,
                          ", ", counted.administrators));
    }
  }

  void CheckEpochRow(absl::string_view key, absl::string_view value, EpochsFound& epochs) {
    const auto expect_end = [&](absl::Time end) {
      ++epochs.ends_expected;
      if (!Get(Family::kEpochs, EpochEndKey(end, key)).has_value()) Report("an ended epoch lacks its end");
    };
    if (OwnerEpochOf(key).has_value()) {
      ++epochs.owner_epochs;
      const absl::StatusOr<OwnerEpochRecord> epoch = DecodeOwnerEpoch(value);
      if (!epoch.ok()) return Report("an owner's epoch does not decode");
      if (epoch->end.has_value()) expect_end(epoch->end->time);
    } else if (const std::optional<uint64_t> number = GlobalEpochOf(key); number.has_value()) {
      const absl::StatusOr<GlobalEpochRecord> epoch = DecodeGlobalEpoch(value);
      if (!epoch.ok()) return Report("a global epoch does not decode");
      if (epoch->unrevoked > 0) expect_end(epoch->end.time);
      if (*number != epochs.global.size()) Report("a global epoch is missing");
      if (*number > 0 && epochs.global[*number - 1].last_sequence > epoch->last_sequence) {
        Report("a global epoch ended before the one before it");
      }
      epochs.global[*number] = *epoch;
    } else if (EpochKeyOf(key).has_value() && value.empty()) {
      ++epochs.ends;
    } else {
      Report("there is a row of no kind among the epochs");
    }
  }

  // Whether the tokens of this pair of epochs are alive. `first` is the mutation that made the first of them.
  bool CheckPair(const OwnerEpoch& pair, uint64_t tokens, uint64_t first, uint64_t current, const EpochsFound& epochs) {
    const absl::StatusOr<OwnerEpochRecord> epoch =
        DecodeOwnerEpoch(Get(Family::kEpochs, OwnerEpochKey(pair.owner, pair.epochs)).value_or(""));
    if (!epoch.ok() || epoch->unrevoked != tokens) Report("an owner's epoch counts wrong");
    const bool ended = epoch.ok() && epoch->end.has_value();
    if (ended && first < epoch->end->resume) Report("a token of an ended epoch would not be purged");
    if (const auto global = epochs.global.find(pair.epochs.global); global != epochs.global.end()) {
      if (first < global->second.end.resume) Report("a token of an ended global epoch would not be purged");
      return false;
    }
    const absl::StatusOr<UserRecord> owner = DecodeUser(Get(Family::kUsers, UserKey(pair.owner)).value_or(""));
    const bool alive = owner.ok() && pair.epochs == Epochs{.global = current, .owner = owner->token_epoch};
    if (alive == ended) Report("an owner's epoch has ended and is the current one, or neither");
    return alive;
  }

  const Database& database_;
  rocksdb::ReadOptions options_;
  uint64_t administrators_ = 0;
  std::array<uint64_t, kFamilyCount> expected_{};
  std::array<uint64_t, kFamilyCount> found_{};
  std::vector<std::string> problems_;
  absl::Status engine_status_;
};

}  // namespace

absl::Status CheckIndexes(const Database& database, const rocksdb::Snapshot* snapshot) {
  return Checker(database, snapshot).Check();
}

}  // namespace pat::rocks
