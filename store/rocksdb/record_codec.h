// Records as bytes, and back. Byte by byte in store/FORMAT.md; a change here is a change of the disk format.
//
// Every record begins with the version of its kind. Decode… is strict: bytes that are missing or left over, a version
// it does not know, a flag, an enumerator or a number in a form that Encode… does not write are all kDataLoss, with a
// text that names the kind and no content. So what decodes encodes to the same bytes again. It takes any bytes
// whatever: it does not crash, and allocates no more than a small multiple of what it was given.
//
// Times are kept to the nanosecond. Thread-safe: no state.
#ifndef PAT_STORE_ROCKSDB_RECORD_CODEC_H_
#define PAT_STORE_ROCKSDB_RECORD_CODEC_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/records.h"
#include "store/rocksdb/epoch_records.h"

namespace pat::rocks {

std::string EncodeToken(const TokenRecord& token);
std::string EncodeUser(const UserRecord& user);
std::string EncodePassword(const PasswordRecord& password);
std::string EncodeRequest(const RequestRecord& request);
std::string EncodeCacheBound(const CacheBoundRecord& bound);
std::string EncodePolicy(const PolicyRecord& policy);
std::string EncodeAudit(const AuditRecord& row);
std::string EncodeOwnerEpoch(const OwnerEpochRecord& epoch);
std::string EncodeGlobalEpoch(const GlobalEpochRecord& epoch);
std::string EncodeCounters(const Counters& counters);

absl::StatusOr<TokenRecord> DecodeToken(absl::string_view bytes);
absl::StatusOr<UserRecord> DecodeUser(absl::string_view bytes);
absl::StatusOr<PasswordRecord> DecodePassword(absl::string_view bytes);
absl::StatusOr<RequestRecord> DecodeRequest(absl::string_view bytes);
absl::StatusOr<CacheBoundRecord> DecodeCacheBound(absl::string_view bytes);
absl::StatusOr<PolicyRecord> DecodePolicy(absl::string_view bytes);
absl::StatusOr<AuditRecord> DecodeAudit(absl::string_view bytes);
absl::StatusOr<OwnerEpochRecord> DecodeOwnerEpoch(absl::string_view bytes);
absl::StatusOr<GlobalEpochRecord> DecodeGlobalEpoch(absl::string_view bytes);
absl::StatusOr<Counters> DecodeCounters(absl::string_view bytes);

// The row that every group of mutations writes: its last mutation's number, and that of the group before it. The second
// makes a chain of the groups, so that one that is missing in the middle of the log is noticed.
struct SequenceRow {
  uint64_t sequence = 0;
  uint64_t previous = 0;

  friend bool operator==(const SequenceRow&, const SequenceRow&) = default;
};
std::string EncodeSequenceRow(const SequenceRow& row);
absl::StatusOr<SequenceRow> DecodeSequenceRow(absl::string_view bytes);

// A number alone: the format version, the global epoch.
std::string EncodeNumber(uint64_t number);
absl::StatusOr<uint64_t> DecodeNumber(absl::string_view bytes);

// An instant alone: the last use of a token.
std::string EncodeInstant(absl::Time time);
absl::StatusOr<absl::Time> DecodeInstant(absl::string_view bytes);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_RECORD_CODEC_H_
