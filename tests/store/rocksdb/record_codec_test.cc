#include "store/rocksdb/record_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <random>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/store/records_for_tests.h"

namespace pat::rocks {
namespace {

using ::testing::HasSubstr;

TokenRecord FullToken() {
  TokenRecord token = TokenNumber(3, UserNumber(4));
  token.description = std::string(300, 'd');  // A length of two bytes.
  token.audiences = {"", "billing", std::string("\0", 1)};
  token.revoke_time = absl::InfiniteFuture();
  token.regenerate_time = At(-1) + absl::Nanoseconds(1);
  token.epochs = {.global = 1, .owner = ~uint64_t{0}};
  token.create_sequence = 5;
  token.change_sequence = 6;
  return token;
}

UserRecord FullUser() {
  UserRecord user = UserNumber(1);
  user.type = UserType::kDirectory;
  user.disabled = user.administrator = true;
  user.grants = {"a", "b"};
  user.token_epoch = 3;
  return user;
}

PasswordRecord FullPassword() {
  return {.scrypt_n = 1 << 17, .scrypt_r = 8, .scrypt_p = 1, .salt = std::string(16, '\x9a'), .hash = {1, 2, 3}};
}

RequestRecord FullRequest() { return {.body_hash = {4, 5}, .token_name = "users/a/tokens/b", .forget_time = At(9)}; }

CacheBoundRecord FullBound() {
  return {.granted = absl::Hours(1), .previous = absl::Nanoseconds(1), .previous_end = absl::InfinitePast()};
}

PolicyRecord FullPolicy() {
  return {.tokens_disabled = true,
          .maximum_lifespan = absl::Hours(2),
          .maximum_live_tokens = 9,
          .forbidden_scopes = {"a", ""},
          .change_sequence = 8};
}

AuditRecord FullAudit() {
  return {.time = At(7) + absl::Nanoseconds(5),
          .sequence = 11,
          .principal = "user:ada",
          .user_id = "ada",
          .method = "m",
          .target = "users/bob/tokens/x",
          .target_user_id = "bob",
          .target_token = TokenUidNumber(3),
          .peer = "unix:",
          .outcome = "OK",
          .detail = std::string(200, 'd'),
          .count = 3};
}

OwnerEpochRecord FullOwnerEpoch() { return {.unrevoked = 6, .end = EpochEnd{.time = At(3), .resume = 4}}; }

GlobalEpochRecord FullGlobalEpoch() {
  return {.unrevoked = 6, .end = {.time = At(3), .resume = 4}, .last_sequence = 12};
}

// One kind of record: bytes of a full one, and decoding followed by encoding.
struct Kind {
  std::string name;
  std::string bytes;
  std::function<absl::StatusOr<std::string>(absl::string_view)> recode;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

template <typename Record>
Kind MakeKind(std::string name, const Record& record, std::string (*encode)(const Record&),
              absl::StatusOr<Record> (*decode)(absl::string_view)) {
  const auto recode = [encode, decode](absl::string_view bytes) -> absl::StatusOr<std::string> {
    absl::StatusOr<Record> decoded = decode(bytes);
    if (!decoded.ok()) return decoded.status();
    return encode(*decoded);
  };
  return {std::move(name), encode(record), recode};
}

std::vector<Kind> Kinds() {
  return {MakeKind("Token", FullToken(), EncodeToken, DecodeToken),
          MakeKind("User", FullUser(), EncodeUser, DecodeUser),
          MakeKind("Password", FullPassword(), EncodePassword, DecodePassword),
          MakeKind("Request", FullRequest(), EncodeRequest, DecodeRequest),
          MakeKind("CacheBound", FullBound(), EncodeCacheBound, DecodeCacheBound),
          MakeKind("Policy", FullPolicy(), EncodePolicy, DecodePolicy),
          MakeKind("Audit", FullAudit(), EncodeAudit, DecodeAudit),
          MakeKind("OwnerEpoch", FullOwnerEpoch(), EncodeOwnerEpoch, DecodeOwnerEpoch),
          MakeKind("GlobalEpoch", FullGlobalEpoch(), EncodeGlobalEpoch, DecodeGlobalEpoch),
          MakeKind("Counters", Counters{1, 2, 3}, EncodeCounters, DecodeCounters)};
}

class RecordCodecTest : public testing::TestWithParam<Kind> {};

INSTANTIATE_TEST_SUITE_P(Every, RecordCodecTest, testing::ValuesIn(Kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(RecordCodecTest, CutAnywhereIsRefused) {
  const Kind& kind = GetParam();
  for (size_t length = 0; length < kind.bytes.size(); ++length) {
    EXPECT_EQ(kind.recode(kind.bytes.substr(0, length)).status().code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST_P(RecordCodecTest, AnythingLeftOverIsRefused) {
  const Kind& kind = GetParam();
  EXPECT_EQ(kind.recode(kind.bytes + std::string(1, '\0')).status().code(), absl::StatusCode::kDataLoss);
}

TEST_P(RecordCodecTest, UnknownVersionIsRefusedByName) {
  const Kind& kind = GetParam();
  std::string newer = kind.bytes;
  newer[0] = 9;
  EXPECT_EQ(kind.recode(newer).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(kind.recode(newer).status().message()), HasSubstr("unknown version 9"));
}

TEST_P(RecordCodecTest, WhateverDecodesEncodesToTheSameBytes) {
  const Kind& kind = GetParam();
  ASSERT_EQ(*kind.recode(kind.bytes), kind.bytes);
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  int decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = kind.bytes;
    for (uint64_t changes = random() % 4 + 1; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 10));
    const absl::StatusOr<std::string> again = kind.recode(bytes);
    if (!again.ok()) {
      EXPECT_EQ(again.status().code(), absl::StatusCode::kDataLoss);
      continue;
    }
    ++decoded;
    ASSERT_EQ(*again, bytes);
  }
  EXPECT_GT(decoded, 0);
}

TEST_P(RecordCodecTest, NoiseIsRefusedOrExact) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (!bytes.empty()) bytes[0] = 1;
    const absl::StatusOr<std::string> again = GetParam().recode(bytes);
    EXPECT_TRUE(!again.ok() || *again == bytes) << i;
  }
}

TEST(RecordCodecRoundTripTest, RecordsComeBack) {
  EXPECT_EQ(*DecodeToken(EncodeToken(FullToken())), FullToken());
  EXPECT_EQ(*DecodeToken(EncodeToken(TokenRecord{})), TokenRecord{});
  EXPECT_EQ(*DecodeUser(EncodeUser(FullUser())), FullUser());
  EXPECT_EQ(*DecodePassword(EncodePassword(FullPassword())), FullPassword());
  EXPECT_EQ(*DecodePassword(EncodePassword({})), PasswordRecord{});
  EXPECT_EQ(*DecodeRequest(EncodeRequest(FullRequest())), FullRequest());
  EXPECT_EQ(*DecodeCacheBound(EncodeCacheBound(FullBound())), FullBound());
  EXPECT_EQ(*DecodeCacheBound(EncodeCacheBound({})), CacheBoundRecord{});
  const CacheBoundRecord for_ever{.granted = absl::InfiniteDuration(), .previous = -absl::InfiniteDuration()};
  EXPECT_EQ(*DecodeCacheBound(EncodeCacheBound(for_ever)), for_ever);
  EXPECT_EQ(*DecodePolicy(EncodePolicy(FullPolicy())), FullPolicy());
  EXPECT_EQ(*DecodePolicy(EncodePolicy({})), PolicyRecord{});
  EXPECT_EQ(*DecodeAudit(EncodeAudit(FullAudit())), FullAudit());
  EXPECT_EQ(*DecodeAudit(EncodeAudit({})), AuditRecord{});
  EXPECT_EQ(*DecodeOwnerEpoch(EncodeOwnerEpoch(FullOwnerEpoch())), FullOwnerEpoch());
  EXPECT_EQ(*DecodeOwnerEpoch(EncodeOwnerEpoch({.unrevoked = 1})), OwnerEpochRecord{.unrevoked = 1});
  EXPECT_EQ(*DecodeGlobalEpoch(EncodeGlobalEpoch(FullGlobalEpoch())), FullGlobalEpoch());
  EXPECT_EQ(*DecodeCounters(EncodeCounters({1, 2, 3})), (Counters{1, 2, 3}));
  EXPECT_EQ(*DecodeInstant(EncodeInstant(At(5))), At(5));
  EXPECT_FALSE(DecodeInstant(std::string(11, '\0')).ok());
  EXPECT_FALSE(DecodeInstant(std::string(13, '\0')).ok());
  const SequenceRow row{.sequence = 7, .previous = 3};
  EXPECT_EQ(*DecodeSequenceRow(EncodeSequenceRow(row)), row);
  EXPECT_EQ(*DecodeNumber(EncodeNumber(42)), 42u);
  EXPECT_FALSE(DecodeSequenceRow("short").ok());
  EXPECT_FALSE(DecodeSequenceRow(std::string(17, '\0')).ok());
  EXPECT_FALSE(DecodeNumber(std::string(9, '\0')).ok());
}

// Version 1 counted administrators who have no password: its number would keep a store without anybody who can log in.
TEST(RecordCodecFormatTest, CountersOfTheVersionBeforeAreRefused) {
  std::string before = EncodeCounters({1, 2, 3});
  before.front() = 1;
  EXPECT_EQ(DecodeCounters(before).status(), absl::DataLossError("counters record of unknown version 1"));
}

TEST(RecordCodecFormatTest, BytesAreThoseOfTheFormat) {
  // A change here is a change of the format on disk: see store/FORMAT.md.
  const std::string user = absl::BytesToHexString(EncodeUser(FullUser()));
  EXPECT_EQ(user,
            "01"
            "ff000000000000000000000000000001"
            "02"
            "03"
            "0000000000000003"
            "800000006553f10000000000"
            "0000000000000000"
            "06757365722d31"
            "02"
            "0161"
            "0162");
  EXPECT_EQ(absl::BytesToHexString(EncodeOwnerEpoch(FullOwnerEpoch())),
            "01"
            "01"
            "0000000000000006"
            "800000006553f10300000000"
            "0000000000000004");
  EXPECT_EQ(absl::BytesToHexString(EncodeGlobalEpoch(FullGlobalEpoch())),
            "01"
            "0000000000000006"
            "800000006553f10300000000"
            "0000000000000004"
            "000000000000000c");
  EXPECT_EQ(absl::BytesToHexString(EncodeCounters({1, 2, 3})), "02000000000000000100000000000000020000000000000003");
  EXPECT_EQ(absl::BytesToHexString(EncodePolicy(FullPolicy())),
            "01"
            "01"
            "8000000000001c2000000000"
            "00000009"
            "0000000000000008"
            "02"
            "0161"
            "00");
  EXPECT_EQ(absl::BytesToHexString(EncodeAudit({.time = At(0), .sequence = 2, .target_token = TokenUidNumber(3)})),
            "01"
            "800000006553f10000000000"
            "0000000000000002"
            "01"
            "00000000000000000000000000000003"
            "0000000000000001"
            "0000000000000000");
  const std::string token = EncodeToken(FullToken());
  EXPECT_EQ(static_cast<uint8_t>(token[33]), 3) << "flags";
  EXPECT_THAT(token, HasSubstr("\xac\x02" + std::string(300, 'd'))) << "a length of 300";
}

TEST(RecordCodecFormatTest, LengthsThatLieAllocateNothing) {
  // The last field of a user is a count of strings: claim four billion of them, and a string of four billion bytes.
  const std::string bytes = EncodeUser(UserNumber(1));
  const std::string head = bytes.substr(0, bytes.size() - 3);  // Without: count 1, length 1, "*".
  EXPECT_EQ(head + "\x01\x01*", bytes);
  for (const std::string& tail : {std::string("\xff\xff\xff\xff\x0f"), std::string("\xff\xff\xff\xff\xff\x7f"),
                                  std::string("\x01\xff\xff\xff\xff\x0f"), std::string("\x81\0\x01*", 4)}) {
    EXPECT_FALSE(DecodeUser(head + tail).ok());
  }
}

TEST(RecordCodecFormatTest, UnknownFlagsAndTypesAreRefused) {
  std::string user = EncodeUser(FullUser());
  for (const int type : {0, 4, 255}) {
    user[17] = static_cast<char>(type);
    EXPECT_FALSE(DecodeUser(user).ok()) << type;
  }
  user[17] = 1;
  user[18] = 4;
  EXPECT_FALSE(DecodeUser(user).ok());
  std::string token = EncodeToken(FullToken());
  token[33] = static_cast<char>(token[33] | 4);
  EXPECT_FALSE(DecodeToken(token).ok());
  std::string policy = EncodePolicy(FullPolicy());
  policy[1] = 2;
  EXPECT_FALSE(DecodePolicy(policy).ok());
  std::string audit = EncodeAudit(FullAudit());
  audit[21] = 2;
  EXPECT_FALSE(DecodeAudit(audit).ok());
  std::string epoch = EncodeOwnerEpoch(FullOwnerEpoch());
  epoch[1] = 2;
  EXPECT_FALSE(DecodeOwnerEpoch(epoch).ok());
}

}  // namespace
}  // namespace pat::rocks
