#include "store/rocksdb/inspection.h"

#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/families.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {
namespace {

// Shows a database without its log: what has reached table files.
class WithoutLog final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "WithoutLog"; }

  rocksdb::IOStatus GetChildren(const std::string& directory, const rocksdb::IOOptions& options,
                                std::vector<std::string>* names, rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = FileSystemWrapper::GetChildren(directory, options, names, debug);
    std::erase_if(*names, [](const std::string& name) { return absl::EndsWith(name, ".log"); });
    return status;
  }
};

// Finds the sequence row among the writes of one group.
class SequenceRowFinder final : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    if (family != IndexOf(Family::kMeta) || AsView(key) != kSequenceKey) return rocksdb::Status::OK();
    const absl::StatusOr<SequenceRow> decoded = DecodeSequenceRow(AsView(value));
    if (!decoded.ok()) return rocksdb::Status::Corruption("sequence row does not decode");
    row = *decoded;
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }

  std::optional<SequenceRow> row;
};

// Follows the chain of groups through the log: each names the one before it. A damaged length makes RocksDB take the
// rest of a log file for an unfinished end; if another log file follows, what is between is lost in silence, and the
// number in the end is right all the same. The chain tells.
class ChainFilter final : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "ChainFilter"; }

  // NOLINTNEXTLINE(google-runtime-int): as RocksDB declares it
  WalProcessingOption LogRecordFound(unsigned long long /*log_number*/, const std::string& /*log_file_name*/,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch* /*new_batch*/,
                                     bool* /*batch_changed*/) override {
    SequenceRowFinder finder;
    if (!batch.Iterate(&finder).ok()) return WalProcessingOption::kCorruptedRecord;
    if (!finder.row.has_value()) return WalProcessingOption::kContinueProcessing;
    if (!first_.has_value()) first_ = finder.row;
    if (last_.has_value() && finder.row->previous != *last_ && !gap_.has_value()) gap_ = {*last_, finder.row->previous};
    last_ = finder.row->sequence;
    return WalProcessingOption::kContinueProcessing;
  }

  // OK if no group is missing between the table files, which end with `flushed`, and the end of the log.
  absl::Status Judge(uint64_t flushed) const {
    if (gap_.has_value()) return Missing(gap_->first, gap_->second);
    if (first_.has_value() && first_->previous > flushed) return Missing(flushed, first_->previous);
    return absl::OkStatus();
  }

 private:
  static absl::Status Missing(uint64_t after, uint64_t until) {
    return absl::DataLossError(absl::StrCat("its log has a hole: the mutations after ", after, " until ", until,
                                            " are missing, while later ones are there"));
  }

  std::optional<SequenceRow> first_;
  std::optional<uint64_t> last_;
  std::optional<std::pair<uint64_t, uint64_t>> gap_;
};

absl::StatusOr<std::optional<std::string>> GetMeta(const Database& database, absl::string_view key) {
  absl::StatusOr<ReadResult> read = database.Get(rocksdb::ReadOptions(), Family::kMeta, key);
  if (!read.ok()) return read.status();
  return std::move(read->value);
}

absl::StatusOr<uint64_t> GetMetaNumber(const Database& database, absl::string_view key) {
  absl::StatusOr<std::optional<std::string>> bytes = GetMeta(database, key);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return absl::DataLossError(absl::StrCat("the row \"", key, "\" is missing"));
  return DecodeNumber(**bytes);
}

absl::StatusOr<uint64_t> GetSequence(const Database& database) {
  absl::StatusOr<std::optional<std::string>> bytes = GetMeta(database, kSequenceKey);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return absl::DataLossError("the row \"sequence\" is missing");
  const absl::StatusOr<SequenceRow> row = DecodeSequenceRow(**bytes);
  if (!row.ok()) return row.status();
  return row->sequence;
}

absl::StatusOr<StoreState> GetState(const Database& database) {
  StoreState state;
  const absl::StatusOr<uint64_t> sequence = GetSequence(database);
  if (!sequence.ok()) return sequence.status();
  state.sequence = *sequence;
  // Opening writes commit_seq up to here.
  state.durable_sequence = *sequence;
  const absl::StatusOr<uint64_t> global_epoch = GetMetaNumber(database, kGlobalEpochKey);
  if (!global_epoch.ok()) return global_epoch.status();
  state.global_epoch = *global_epoch;
  const absl::StatusOr<std::optional<std::string>> counters = GetMeta(database, kCountersKey);
  if (!counters.ok()) return counters.status();
  if (!counters->has_value()) return absl::DataLossError("the row \"counters\" is missing");
  const absl::StatusOr<Counters> decoded = DecodeCounters(**counters);
  if (!decoded.ok()) return decoded.status();
  state.counters = *decoded;
  const absl::StatusOr<std::optional<std::string>> policy_bytes = GetMeta(database, kPolicyKey);
  if (!policy_bytes.ok()) return policy_bytes.status();
  absl::StatusOr<PolicyRecord> policy = PolicyRecord{};
  if (policy_bytes->has_value()) policy = DecodePolicy(**policy_bytes);
  if (!policy.ok()) return policy.status();
  state.policy = std::make_shared<const PolicyRecord>(*std::move(policy));
  return state;
}

absl::Status NewerFormat(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("written by a newer version of this program (", what, "); this one reads format ", kFormatVersion));
}

// Formats that no release wrote: there is nobody for whom a way out of them would be kept.
absl::Status UnreleasedFormat(uint64_t format) {
  return absl::FailedPreconditionError(
      absl::StrCat("written by a version of this program from before its first release (format ", format,
                   "); this one reads format ", kFormatVersion, ": make a new store"));
}

// The families on disk are those of this format. Another one means another format: those that we know are not looked
// at.
absl::Status CheckFamilies(const std::string& database_path, const std::shared_ptr<rocksdb::FileSystem>& file_system) {
  rocksdb::DBOptions options;
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(file_system);
  options.env = env.get();
  std::vector<std::string> found;
  const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(options, database_path, &found);
  if (!listed.ok()) return FromRocksDb(listed, "listing its parts");
  for (const std::string& name : found) {
    if (std::find(kFamilyNames.begin(), kFamilyNames.end(), name) == kFamilyNames.end()) {
      return NewerFormat(absl::StrCat("it has a part \"", name, "\""));
    }
  }
  for (const char* name : kFamilyNames) {
    if (std::find(found.begin(), found.end(), name) == found.end()) {
      return absl::DataLossError(absl::StrCat("its part \"", name, "\" is missing"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckKind(const Database& database, const RocksDbOptions& options) {
  const absl::StatusOr<uint64_t> format = GetMetaNumber(database, kFormatKey);
  if (!format.ok()) return format.status();
  if (*format > kFormatVersion) return NewerFormat(absl::StrCat("format ", *format));
  if (*format < kFormatVersion) return UnreleasedFormat(*format);
  const absl::StatusOr<uint64_t> development = GetMetaNumber(database, kDevelopmentKey);
  if (!development.ok()) return development.status();
  if ((*development != 0) == options.development) return absl::OkStatus();
  return absl::FailedPreconditionError(options.development
                                           ? "it was not made for development, and is not opened as if it were"
                                           : "it was made for development, and is not opened for anything else");
}

absl::StatusOr<StoreFacts> Inspect(const RocksDbOptions& options, const std::string& path,
                                   const std::shared_ptr<rocksdb::FileSystem>& file_system,
                                   const CommitSequenceFile::Slot& acknowledged) {
  if (absl::Status status = CheckFamilies(path, file_system); !status.ok()) return status;

  absl::StatusOr<std::unique_ptr<Database>> flushed =
      Database::Open(options, path, std::make_shared<WithoutLog>(file_system), OpenMode::kReadMetaOnly);
  if (!flushed.ok()) return flushed.status();
  if (absl::Status status = CheckKind(**flushed, options); !status.ok()) return status;
  const absl::StatusOr<uint64_t> flushed_sequence = GetSequence(**flushed);
  if (!flushed_sequence.ok()) return flushed_sequence.status();

  StoreFacts facts;
  ChainFilter chain;
  absl::StatusOr<std::unique_ptr<Database>> whole =
      Database::Open(options, path, file_system, OpenMode::kReadMetaOnly, facts.log_end, &chain);
  if (absl::IsDataLoss(whole.status())) {
    facts.log_end = LogEnd::kCut;
    chain = ChainFilter();
    whole = Database::Open(options, path, file_system, OpenMode::kReadMetaOnly, facts.log_end, &chain);
  }
  if (!whole.ok()) return whole.status();
  if (absl::Status status = CheckKind(**whole, options); !status.ok()) return status;
  if (absl::Status status = chain.Judge(*flushed_sequence); !status.ok()) return status;

  absl::StatusOr<std::optional<std::string>> incarnation = GetMeta(**whole, kIncarnationKey);
  if (!incarnation.ok()) return incarnation.status();
  facts.incarnation = incarnation->value_or("");
  if (facts.incarnation != acknowledged.incarnation) {
    return absl::FailedPreconditionError(absl::StrCat("commit_seq belongs to another store (", acknowledged.incarnation,
                                                      ", the database is ", facts.incarnation, ")"));
  }
  absl::StatusOr<StoreState> state = GetState(**whole);
  if (!state.ok()) return state.status();
  facts.state = *std::move(state);
  if (facts.state.sequence < acknowledged.sequence) {
    return absl::DataLossError(absl::StrCat("the database ends with mutation ", facts.state.sequence, ", but mutation ",
                                            acknowledged.sequence,
                                            " was acknowledged: later mutations, perhaps revocations, are lost"));
  }
  return facts;
}

}  // namespace

absl::StatusOr<StoreFacts> InspectDatabase(const RocksDbOptions& options, const std::string& database_path,
                                           const std::shared_ptr<rocksdb::FileSystem>& file_system,
                                           const CommitSequenceFile::Slot& acknowledged) {
  absl::StatusOr<StoreFacts> facts = Inspect(options, database_path, file_system, acknowledged);
  if (facts.ok()) return facts;
  return absl::Status(facts.status().code(), absl::StrCat(database_path, ": ", facts.status().message()));
}

}  // namespace pat::rocks
