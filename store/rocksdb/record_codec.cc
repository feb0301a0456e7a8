#include "store/rocksdb/record_codec.h"

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "store/rocksdb/ordered_bytes.h"

namespace pat::rocks {
namespace {

constexpr uint8_t kTokenVersion = 1;
constexpr uint8_t kUserVersion = 1;
constexpr uint8_t kPasswordVersion = 1;
constexpr uint8_t kRequestVersion = 1;
constexpr uint8_t kCacheBoundVersion = 1;
constexpr uint8_t kPolicyVersion = 1;
constexpr uint8_t kAuditVersion = 1;
constexpr uint8_t kOwnerEpochVersion = 1;
constexpr uint8_t kGlobalEpochVersion = 1;
constexpr uint8_t kCountersVersion = 2;  // 1 counted administrators without a password too.

constexpr uint8_t kTokenRevoked = 1;
constexpr uint8_t kTokenRegenerated = 2;
constexpr uint8_t kUserDisabled = 1;
constexpr uint8_t kUserAdministrator = 2;
constexpr uint8_t kPolicyTokensDisabled = 1;
constexpr uint8_t kAuditTargetToken = 1;
constexpr uint8_t kEpochEnded = 1;

class Writer {
 public:
  explicit Writer(uint8_t version) { Byte(version); }

  void Byte(uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void Uint32(uint32_t value) { AppendUint32(out_, value); }
  void Uint64(uint64_t value) { AppendUint64(out_, value); }
  void Time(absl::Time value) { AppendTime(out_, value); }
  // A duration is written as that instant after 1970.
  void Duration(absl::Duration value) { Time(absl::UnixEpoch() + value); }
  template <size_t kSize>
  void Array(const std::array<uint8_t, kSize>& value) {
    AppendArray(out_, value);
  }
  // Seven bits to a byte, lowest first; the top bit says that more follow.
  void Length(size_t value) {
    while (value >= 0x80) {
      Byte(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    Byte(static_cast<uint8_t>(value));
  }
  void String(const std::string& value) {
    Length(value.size());
    out_.append(value);
  }
  void Strings(const std::vector<std::string>& values) {
    Length(values.size());
    for (const std::string& value : values) String(value);
  }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Goes on after an error, with zeros, so that the callers read like lists of fields; Finish() tells in the end.
class Reader {
 public:
  Reader(absl::string_view bytes, absl::string_view kind, uint8_t version) : in_(bytes), kind_(kind) {
    found_version_ = Byte();
    version_known_ = ok_ && found_version_ == version;
    ok_ = version_known_;
  }

  uint8_t Byte() {
    if (!ok_ || in_.empty()) {
      ok_ = false;
      return 0;
    }
    const auto value = static_cast<uint8_t>(in_.front());
    in_.remove_prefix(1);
    return value;
  }
  // A byte that has no bits but those of `known`.
  uint8_t Flags(uint8_t known) {
    const uint8_t value = Byte();
    if ((value & ~known) != 0) ok_ = false;
    return value;
  }
  uint32_t Uint32() {
    uint32_t value = 0;
    ok_ = ok_ && ConsumeUint32(in_, value);
    return value;
  }
  uint64_t Uint64() {
    uint64_t value = 0;
    ok_ = ok_ && ConsumeUint64(in_, value);
    return value;
  }
  absl::Time Time() {
    absl::Time value;
    ok_ = ok_ && ConsumeTime(in_, value);
    return value;
  }
  absl::Duration Duration() { return Time() - absl::UnixEpoch(); }
  template <size_t kSize>
  void Array(std::array<uint8_t, kSize>& value) {
    ok_ = ok_ && ConsumeArray(in_, value);
  }
  // Never more than the bytes that are left, since whatever is counted takes a byte at least: so a length that is a lie
  // makes nothing grow.
  size_t Length() {
    uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const uint8_t byte = Byte();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) != 0) continue;
      if (byte == 0 && shift != 0) break;  // Not the shortest form.
      if (!ok_ || value > in_.size()) break;
      return static_cast<size_t>(value);
    }
    ok_ = false;
    return 0;
  }
  std::string String() {
    const size_t length = Length();
    std::string value(in_.substr(0, length));
    in_.remove_prefix(length);
    return value;
  }
  std::vector<std::string> Strings() {
    const size_t count = Length();
    std::vector<std::string> values;
    for (size_t i = 0; i < count && ok_; ++i) values.push_back(String());
    return values;
  }

  void Refuse() { ok_ = false; }

  absl::Status Finish() const {
    if (ok_ && in_.empty()) return absl::OkStatus();
    if (found_version_ != 0 && !version_known_) {
      return absl::DataLossError(absl::StrCat(kind_, " record of unknown version ", found_version_));
    }
    return absl::DataLossError(absl::StrCat(kind_, " record does not decode"));
  }

 private:
  absl::string_view in_;
  const absl::string_view kind_;
  uint8_t found_version_ = 0;
  bool version_known_ = false;
  bool ok_ = true;
};

}  // namespace

std::string EncodeToken(const TokenRecord& token) {
  Writer out(kTokenVersion);
  out.Array(token.uid.bytes);
  out.Array(token.owner.bytes);
  out.Byte(static_cast<uint8_t>((token.revoke_time.has_value() ? kTokenRevoked : 0) |
                                (token.regenerate_time.has_value() ? kTokenRegenerated : 0)));
  out.Time(token.create_time);
  out.Time(token.expire_time);
  if (token.revoke_time.has_value()) out.Time(*token.revoke_time);
  if (token.regenerate_time.has_value()) out.Time(*token.regenerate_time);
  out.Array(token.hmac.pepper_id);
  out.Array(token.hmac.mac);
  out.Uint64(token.epochs.global);
  out.Uint64(token.epochs.owner);
  out.Uint64(token.create_sequence);
  out.Uint64(token.change_sequence);
  out.String(token.owner_id);
  out.String(token.display_name);
  out.String(token.description);
  out.Strings(token.scopes);
  out.Strings(token.audiences);
  return out.Take();
}

absl::StatusOr<TokenRecord> DecodeToken(absl::string_view bytes) {
  Reader in(bytes, "token", kTokenVersion);
  TokenRecord token;
  in.Array(token.uid.bytes);
  in.Array(token.owner.bytes);
  const uint8_t flags = in.Flags(kTokenRevoked | kTokenRegenerated);
  token.create_time = in.Time();
  token.expire_time = in.Time();
  if ((flags & kTokenRevoked) != 0) token.revoke_time = in.Time();
  if ((flags & kTokenRegenerated) != 0) token.regenerate_time = in.Time();
  in.Array(token.hmac.pepper_id);
  in.Array(token.hmac.mac);
  token.epochs.global = in.Uint64();
  token.epochs.owner = in.Uint64();
  token.create_sequence = in.Uint64();
  token.change_sequence = in.Uint64();
  token.owner_id = in.String();
  token.display_name = in.String();
  token.description = in.String();
  token.scopes = in.Strings();
  token.audiences = in.Strings();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return token;
}

std::string EncodeUser(const UserRecord& user) {
  Writer out(kUserVersion);
  out.Array(user.uid.bytes);
  out.Byte(static_cast<uint8_t>(user.type));
  out.Byte(static_cast<uint8_t>((user.disabled ? kUserDisabled : 0) | (user.administrator ? kUserAdministrator : 0)));
  out.Uint64(user.token_epoch);
  out.Time(user.create_time);
  out.Uint64(user.change_sequence);
  out.String(user.id);
  out.Strings(user.grants);
  return out.Take();
}

absl::StatusOr<UserRecord> DecodeUser(absl::string_view bytes) {
  Reader in(bytes, "user", kUserVersion);
  UserRecord user;
  in.Array(user.uid.bytes);
  const uint8_t type = in.Byte();
  if (type < static_cast<uint8_t>(UserType::kLocal) || type > static_cast<uint8_t>(UserType::kSaml)) in.Refuse();
  user.type = static_cast<UserType>(type);
  const uint8_t flags = in.Flags(kUserDisabled | kUserAdministrator);
  user.disabled = (flags & kUserDisabled) != 0;
  user.administrator = (flags & kUserAdministrator) != 0;
  user.token_epoch = in.Uint64();
  user.create_time = in.Time();
  user.change_sequence = in.Uint64();
  user.id = in.String();
  user.grants = in.Strings();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return user;
}

std::string EncodePassword(const PasswordRecord& password) {
  Writer out(kPasswordVersion);
  out.Uint64(password.scrypt_n);
  out.Uint32(password.scrypt_r);
  out.Uint32(password.scrypt_p);
  out.Array(password.hash);
  out.String(password.salt);
  return out.Take();
}

absl::StatusOr<PasswordRecord> DecodePassword(absl::string_view bytes) {
  Reader in(bytes, "password", kPasswordVersion);
  PasswordRecord password;
  password.scrypt_n = in.Uint64();
  password.scrypt_r = in.Uint32();
  password.scrypt_p = in.Uint32();
  in.Array(password.hash);
  password.salt = in.String();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return password;
}

std::string EncodeRequest(const RequestRecord& request) {
  Writer out(kRequestVersion);
  out.Array(request.body_hash);
  out.Time(request.forget_time);
  out.String(request.token_name);
  return out.Take();
}

absl::StatusOr<RequestRecord> DecodeRequest(absl::string_view bytes) {
  Reader in(bytes, "request", kRequestVersion);
  RequestRecord request;
  in.Array(request.body_hash);
  request.forget_time = in.Time();
  request.token_name = in.String();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return request;
}

std::string EncodeCacheBound(const CacheBoundRecord& bound) {
  Writer out(kCacheBoundVersion);
  out.Duration(bound.granted);
  out.Duration(bound.previous);
  out.Time(bound.previous_end);
  return out.Take();
}

absl::StatusOr<CacheBoundRecord> DecodeCacheBound(absl::string_view bytes) {
  Reader in(bytes, "cache bound", kCacheBoundVersion);
  CacheBoundRecord bound;
  bound.granted = in.Duration();
  bound.previous = in.Duration();
  bound.previous_end = in.Time();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return bound;
}

std::string EncodePolicy(const PolicyRecord& policy) {
  Writer out(kPolicyVersion);
  out.Byte(policy.tokens_disabled ? kPolicyTokensDisabled : 0);
  out.Duration(policy.maximum_lifespan);
  out.Uint32(policy.maximum_live_tokens);
  out.Uint64(policy.change_sequence);
  out.Strings(policy.forbidden_scopes);
  return out.Take();
}

absl::StatusOr<PolicyRecord> DecodePolicy(absl::string_view bytes) {
  Reader in(bytes, "policy", kPolicyVersion);
  PolicyRecord policy;
  policy.tokens_disabled = in.Flags(kPolicyTokensDisabled) != 0;
  policy.maximum_lifespan = in.Duration();
  policy.maximum_live_tokens = in.Uint32();
  policy.change_sequence = in.Uint64();
  policy.forbidden_scopes = in.Strings();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return policy;
}

std::string EncodeAudit(const AuditRecord& row) {
  Writer out(kAuditVersion);
  out.Time(row.time);
  out.Uint64(row.sequence);
  out.Byte(row.target_token.has_value() ? kAuditTargetToken : 0);
  if (row.target_token.has_value()) out.Array(row.target_token->bytes);
  out.Uint64(row.count);
  for (const std::string* text : {&row.principal, &row.user_id, &row.method, &row.target, &row.target_user_id,
                                  &row.peer, &row.outcome, &row.detail}) {
    out.String(*text);
  }
  return out.Take();
}

absl::StatusOr<AuditRecord> DecodeAudit(absl::string_view bytes) {
  Reader in(bytes, "audit", kAuditVersion);
  AuditRecord row;
  row.time = in.Time();
  row.sequence = in.Uint64();
  if (in.Flags(kAuditTargetToken) != 0) in.Array(row.target_token.emplace().bytes);
  row.count = in.Uint64();
  for (std::string* text : {&row.principal, &row.user_id, &row.method, &row.target, &row.target_user_id, &row.peer,
                            &row.outcome, &row.detail}) {
    *text = in.String();
  }
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return row;
}

std::string EncodeOwnerEpoch(const OwnerEpochRecord& epoch) {
  Writer out(kOwnerEpochVersion);
  out.Byte(epoch.end.has_value() ? kEpochEnded : 0);
  out.Uint64(epoch.unrevoked);
  if (epoch.end.has_value()) {
    out.Time(epoch.end->time);
    out.Uint64(epoch.end->resume);
  }
  return out.Take();
}

absl::StatusOr<OwnerEpochRecord> DecodeOwnerEpoch(absl::string_view bytes) {
  Reader in(bytes, "owner epoch", kOwnerEpochVersion);
  OwnerEpochRecord epoch;
  const bool ended = in.Flags(kEpochEnded) != 0;
  epoch.unrevoked = in.Uint64();
  if (ended) {
    epoch.end.emplace();
    epoch.end->time = in.Time();
    epoch.end->resume = in.Uint64();
  }
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return epoch;
}

std::string EncodeGlobalEpoch(const GlobalEpochRecord& epoch) {
  Writer out(kGlobalEpochVersion);
  out.Uint64(epoch.unrevoked);
  out.Time(epoch.end.time);
  out.Uint64(epoch.end.resume);
  out.Uint64(epoch.last_sequence);
  return out.Take();
}

absl::StatusOr<GlobalEpochRecord> DecodeGlobalEpoch(absl::string_view bytes) {
  Reader in(bytes, "global epoch", kGlobalEpochVersion);
  GlobalEpochRecord epoch;
  epoch.unrevoked = in.Uint64();
  epoch.end.time = in.Time();
  epoch.end.resume = in.Uint64();
  epoch.last_sequence = in.Uint64();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return epoch;
}

std::string EncodeCounters(const Counters& counters) {
  Writer out(kCountersVersion);
  out.Uint64(counters.unrevoked);
  out.Uint64(counters.unrevoked_in_epoch);
  out.Uint64(counters.administrators);
  return out.Take();
}

absl::StatusOr<Counters> DecodeCounters(absl::string_view bytes) {
  Reader in(bytes, "counters", kCountersVersion);
  Counters counters;
  counters.unrevoked = in.Uint64();
  counters.unrevoked_in_epoch = in.Uint64();
  counters.administrators = in.Uint64();
  if (absl::Status finished = in.Finish(); !finished.ok()) return finished;
  return counters;
}

std::string EncodeSequenceRow(const SequenceRow& row) {
  std::string bytes;
  AppendUint64(bytes, row.sequence);
  AppendUint64(bytes, row.previous);
  return bytes;
}

absl::StatusOr<SequenceRow> DecodeSequenceRow(absl::string_view bytes) {
  SequenceRow row;
  if (!ConsumeUint64(bytes, row.sequence) || !ConsumeUint64(bytes, row.previous) || !bytes.empty()) {
    return absl::DataLossError("sequence row does not decode");
  }
  return row;
}

std::string EncodeNumber(uint64_t number) {
  std::string bytes;
  AppendUint64(bytes, number);
  return bytes;
}

absl::StatusOr<uint64_t> DecodeNumber(absl::string_view bytes) {
  uint64_t number = 0;
  if (!ConsumeUint64(bytes, number) || !bytes.empty()) return absl::DataLossError("number does not decode");
  return number;
}

std::string EncodeInstant(absl::Time time) {
  std::string bytes;
  AppendTime(bytes, time);
  return bytes;
}

absl::StatusOr<absl::Time> DecodeInstant(absl::string_view bytes) {
  absl::Time time;
  if (!ConsumeTime(bytes, time) || !bytes.empty()) return absl::DataLossError("instant does not decode");
  return time;
}

}  // namespace pat::rocks
