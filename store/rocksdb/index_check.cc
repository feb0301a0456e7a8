#include "store/rocksdb/index_check.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

  const Database& database_;
  rocksdb::ReadOptions options_;
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
