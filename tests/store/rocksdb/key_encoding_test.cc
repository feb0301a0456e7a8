#include "store/rocksdb/key_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "store/rocksdb/index_rows.h"
#include "tests/store/records_for_tests.h"

namespace pat::rocks {
namespace {

using ::testing::Contains;
using ::testing::SizeIs;

TEST(KeyEncodingTest, BytesAreThoseOfTheFormat) {
  // A change here is a change of the format on disk: see store/FORMAT.md.
  UserUid owner;
  owner.bytes.fill(0x11);
  TokenUid uid;
  uid.bytes.fill(0x22);
  const Epochs epochs{.global = 1, .owner = 2};
  const auto hex = [](const std::string& key) { return absl::BytesToHexString(key); };
  const std::string o(32, '1');
  const std::string u(32, '2');
  const std::string time =
      "8000000000000064"
      "00000007";  // 100 s and 7 ns.
  const absl::Time instant = absl::FromUnixSeconds(100) + absl::Nanoseconds(7);
  const LiveTimes times{.expire_time = instant, .secret_time = absl::FromUnixSeconds(1)};
  const std::string secret_time = "800000000000000100000000";
  EXPECT_EQ(hex(UidBytes(uid)), u);
  EXPECT_EQ(hex(ListKey(AllPrefix(), 5, uid)),
            "41"
            "0000000000000005" +
                u);
  EXPECT_EQ(hex(ListKey(UnrevokedPrefix(), 5, uid)),
            "42"
            "0000000000000005" +
                u);
  EXPECT_EQ(hex(ListKey(OwnerAllPrefix(owner), 5, uid)), "43" + o + "0000000000000005" + u);
  EXPECT_EQ(hex(ListKey(OwnerUnrevokedPrefix(owner, epochs), 5, uid)), "44" + o +
                                                                           "0000000000000001"
                                                                           "0000000000000002"
                                                                           "0000000000000005" +
                                                                           u);
  EXPECT_EQ(hex(LiveNameKey(LiveNamePrefix(owner, epochs, "ab"), times, uid)), "4e" + o +
                                                                                   "0000000000000001"
                                                                                   "0000000000000002"
                                                                                   "61620001"
                                                                                   "7fffffffffffff9b"
                                                                                   "fffffff8" +
                                                                                   secret_time + u);
  EXPECT_EQ(hex(LiveExpiryKey(LiveExpiryPrefix(owner, epochs), times, uid)), "45" + o +
                                                                                 "0000000000000001"
                                                                                 "0000000000000002" +
                                                                                 time + secret_time + u);
  EXPECT_EQ(hex(EndedKey(instant, uid)), time + u);
  EXPECT_EQ(hex(UserKey(owner)), "55" + o);
  EXPECT_EQ(UserKeyOf(UidBytes(owner)), UserKey(owner));
  EXPECT_EQ(UserIdKey("ann"), "Iann");
  EXPECT_EQ(RequestKey("key"), "Rkey");
  EXPECT_EQ(hex(ForgetKey(instant, "key")), "46" + time + "6b6579");
  EXPECT_EQ(HmacKey(HmacNumber(1)).size(), 40u);
  const std::string pair = OwnerEpochKey(owner, {.global = 1, .owner = 2});
  EXPECT_EQ(hex(pair), "4f" + o + "00000000000000010000000000000002");
  EXPECT_EQ(hex(GlobalEpochKey(3)), "470000000000000003");
  EXPECT_EQ(hex(EpochEndKey(instant, GlobalEpochKey(3))), "54" + time + "470000000000000003");
  EXPECT_EQ(hex(AuditKey(AuditPrefix(), instant, 5)), "41" + time + "0000000000000005");
  EXPECT_EQ(hex(AuditKey(AuditUserPrefix("ann"), instant, 5)), "55616e6e0001" + time + "0000000000000005");
  EXPECT_EQ(hex(AuditKey(AuditTokenPrefix(uid), instant, 5)), "4b" + u + time + "0000000000000005");
}

TEST(KeyEncodingTest, PartsComeOutAgain) {
  const TokenUid uid = TokenUidNumber(7);
  const std::string list = ListKey(OwnerAllPrefix(UserUidNumber(1)), 1234, uid);
  EXPECT_EQ(UidAtEnd(list), uid);
  EXPECT_EQ(CreateSequenceOf(list), 1234u);
  const LiveTimes times{.expire_time = At(3), .secret_time = At(2)};
  const std::string live = LiveNameKey(LiveNamePrefix(UserUidNumber(1), {}, "name"), times, uid);
  EXPECT_EQ(UidAtEnd(live), uid);
  EXPECT_EQ(LiveTimesOfNameKey(live), times);
  const std::string by_expiry = LiveExpiryKey(LiveExpiryPrefix(UserUidNumber(1), {}), times, uid);
  EXPECT_EQ(UidAtEnd(by_expiry), uid);
  EXPECT_EQ(LiveTimesOfExpiryKey(by_expiry), times);
  EXPECT_EQ(RequestOf(ForgetKey(At(1), "key")), "key");
  EXPECT_EQ(RequestKeyOf(RequestKey("key")), "key");
  EXPECT_EQ(RequestKeyOf(ForgetKey(At(1), "key")), std::nullopt);
  EXPECT_TRUE(IsUserKey(UserKey(UserUidNumber(1))));
  EXPECT_FALSE(IsUserKey(UserIdKey("U")));
  EXPECT_EQ(UidAtEnd("short"), std::nullopt);
  EXPECT_EQ(CreateSequenceOf("short"), std::nullopt);
  EXPECT_EQ(LiveTimesOfNameKey("short"), std::nullopt);
  EXPECT_EQ(LiveTimesOfExpiryKey("short"), std::nullopt);
  EXPECT_EQ(RequestOf("F"), std::nullopt);
}

TEST(KeyEncodingTest, PartsOfEpochsAndOfTheAuditLogComeOutAgain) {
  const OwnerEpoch pair{UserUidNumber(1), {.global = 5, .owner = 6}};
  const std::string pair_key = OwnerEpochKey(pair.owner, pair.epochs);
  EXPECT_EQ(OwnerEpochOf(pair_key), pair);
  EXPECT_EQ(GlobalEpochOf(pair_key), std::nullopt);
  EXPECT_EQ(GlobalEpochOf(GlobalEpochKey(9)), 9u);
  EXPECT_EQ(OwnerEpochOf(GlobalEpochKey(9)), std::nullopt);
  for (const std::string& key : {pair_key, GlobalEpochKey(9)}) {
    EXPECT_EQ(EpochKeyOf(EpochEndKey(At(1), key)), key);
    EXPECT_EQ(EpochKeyOf(key), std::nullopt);
    for (const std::string& wrong : {key + "x", key.substr(0, key.size() - 1), std::string()}) {
      EXPECT_EQ(OwnerEpochOf(wrong), std::nullopt);
      EXPECT_EQ(GlobalEpochOf(wrong), std::nullopt);
    }
  }
  EXPECT_EQ(OwnerEpochOfListKey(ListKey(OwnerUnrevokedPrefix(pair.owner, pair.epochs), 7, TokenUidNumber(1))), pair);
  EXPECT_EQ(OwnerEpochOfListKey(ListKey(OwnerAllPrefix(pair.owner), 7, TokenUidNumber(1))), std::nullopt);
  EXPECT_EQ(OwnerEpochOfListKey("D"), std::nullopt);

  const std::string row = AuditKey(AuditPrefix(), At(1), 2);
  EXPECT_TRUE(IsAuditRowKey(row));
  EXPECT_EQ(AuditRowKeyOf(row), row);
  for (const std::string& prefix : {AuditUserPrefix("ann"), AuditUserPrefix(""), AuditTokenPrefix(TokenUidNumber(1))}) {
    EXPECT_FALSE(IsAuditRowKey(AuditKey(prefix, At(1), 2)));
    EXPECT_EQ(AuditRowKeyOf(AuditKey(prefix, At(1), 2)), row);
  }
  EXPECT_EQ(AuditRowKeyOf("A"), std::nullopt);
}

TEST(KeyEncodingTest, PositionsAmongUsersAreBehindTheOneBefore) {
  EXPECT_LT(UserIdKey("ann"), UserIdPosition("ann"));
  EXPECT_LE(UserIdPosition("ann"), UserIdKey(std::string("ann\0", 4)));
  EXPECT_LT(UserIdPosition("ann"), UserIdKey("ann-b"));
  EXPECT_EQ(UserIdPosition(""), UserIdPrefix());
}

TEST(KeyEncodingTest, EndOfPrefixIsBehindEveryKeyAndBeforeTheNextPrefix) {
  EXPECT_EQ(EndOfPrefix("a"), "b");
  EXPECT_EQ(EndOfPrefix("a\xff\xff"), "b");
  const std::string prefix = OwnerAllPrefix(UserUidNumber(1));
  EXPECT_LT(prefix + std::string(100, '\xff'), EndOfPrefix(prefix));
  EXPECT_LE(EndOfPrefix(prefix), OwnerAllPrefix(UserUidNumber(2)));
  UserUid last;
  last.bytes.fill(0xff);
  EXPECT_LT(ListKey(OwnerAllPrefix(last), ~uint64_t{0}, TokenUidNumber(1)), EndOfPrefix(OwnerAllPrefix(last)));
  EXPECT_LE(EndOfPrefix(OwnerAllPrefix(last)), OwnerUnrevokedPrefix(UserUid{}, {}));
}

TEST(KeyEncodingTest, ListsAreInOrderOfCreation) {
  const std::string prefix = OwnerAllPrefix(UserUidNumber(1));
  for (const uint64_t sequence : {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{1} << 32}) {
    EXPECT_LT(ListKey(prefix, sequence, TokenUidNumber(~uint64_t{0})), ListPosition(prefix, sequence + 1));
    EXPECT_LE(ListPosition(prefix, sequence), ListKey(prefix, sequence, TokenUid{}));
  }
}

TEST(KeyEncodingTest, LiveExpiryPositionIsBetweenTheDeadAndTheLiving) {
  const std::string prefix = LiveExpiryPrefix(UserUidNumber(1), {});
  TokenUid last;
  last.bytes.fill(0xff);
  for (const absl::Duration within : {absl::ZeroDuration(), absl::Nanoseconds(1) / 4, absl::Nanoseconds(3) / 4}) {
    const std::string position = LiveExpiryPosition(prefix, At(5) + within);
    const LiveTimes now{.expire_time = At(5), .secret_time = absl::InfiniteFuture()};
    const LiveTimes next{.expire_time = At(5) + absl::Nanoseconds(1), .secret_time = absl::InfinitePast()};
    EXPECT_LT(LiveExpiryKey(prefix, now, last), position) << "expires now: not live";
    EXPECT_GE(LiveExpiryKey(prefix, next, TokenUid{}), position);
  }
}

TEST(IndexRowsTest, EveryRowOfATokenHasAKeyOfItsOwn) {
  const UserRecord user = UserNumber(1);
  std::set<std::pair<Family, std::string>> keys;
  size_t rows = 0;
  for (uint64_t number = 1; number <= 3; ++number) {
    for (const Row& row : IndexRowsOf(TokenNumber(number, user))) {
      keys.emplace(row.family, row.key);
      ++rows;
    }
  }
  EXPECT_EQ(keys.size(), rows);
  EXPECT_EQ(rows, 24u);
}

TEST(IndexRowsTest, RevokedTokenKeepsOnlyWhatRevokedTokensAreFoundBy) {
  TokenRecord token = TokenNumber(1, UserNumber(1));
  const std::vector<Row> living = IndexRowsOf(token);
  token.revoke_time = At(1);
  const std::vector<Row> revoked = IndexRowsOf(token);
  EXPECT_THAT(living, SizeIs(8));
  EXPECT_THAT(revoked, SizeIs(4));
  for (const Row& row : revoked) EXPECT_NE(row.family, Family::kLive);
  EXPECT_THAT(revoked, Contains(testing::Field(&Row::family, Family::kHmacs)));
  EXPECT_THAT(revoked, Contains(Row{Family::kEnded, EndedKey(At(1), token.uid), ""}));
  EXPECT_THAT(living, Contains(Row{Family::kEnded, EndedKey(token.expire_time, token.uid), ""}));
}

TEST(IndexRowsTest, ARowOfTheAuditLogIsListedOnceForEachUserAndForItsToken) {
  AuditRecord row{.time = At(1), .sequence = 2};
  EXPECT_THAT(IndexRowsOf(row), SizeIs(0));
  row.user_id = "ada";
  EXPECT_THAT(IndexRowsOf(row), SizeIs(1));
  row.target_user_id = "ada";
  EXPECT_THAT(IndexRowsOf(row), SizeIs(1));
  row.target_user_id = "bob";
  EXPECT_THAT(IndexRowsOf(row), SizeIs(2));
  row.target_token = TokenUidNumber(3);
  EXPECT_THAT(IndexRowsOf(row), SizeIs(3));
}

TEST(IndexRowsTest, RowsDependOnWhatTheyIndexAlone) {
  const TokenRecord token = TokenNumber(1, UserNumber(1));
  TokenRecord changed = token;
  changed.description = "another";
  changed.scopes = {"*"};
  changed.audiences = {"x"};
  changed.change_sequence = 99;
  EXPECT_EQ(IndexRowsOf(token), IndexRowsOf(changed));
}

TEST(IndexRowsTest, ANewSecretIsAnotherPlaceAmongTheLiveOnes) {
  const TokenRecord token = TokenNumber(1, UserNumber(1));
  TokenRecord regenerated = token;
  regenerated.regenerate_time = At(3);
  const std::vector<Row> before = IndexRowsOf(token);
  const std::vector<Row> after = IndexRowsOf(regenerated);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i] == after[i], before[i].family != Family::kLive);
}

TEST(KeyEncodingTest, ChangesComeBackAndAreInTheOrderOfMutations) {
  std::vector<Change> changes;
  for (const uint64_t sequence : {uint64_t{0}, uint64_t{1}, uint64_t{256}, ~uint64_t{0}}) {
    changes.push_back({.sequence = sequence, .kind = Change::Kind::kToken, .token = TokenUidNumber(1)});
    changes.push_back({.sequence = sequence, .kind = Change::Kind::kToken, .token = TokenUidNumber(2)});
    changes.push_back({.sequence = sequence, .kind = Change::Kind::kOwner, .owner_id = "ada"});
    changes.push_back({.sequence = sequence, .kind = Change::Kind::kOwner, .owner_id = "adb"});
    changes.push_back({.sequence = sequence, .kind = Change::Kind::kEverything});
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(ChangeOf(ChangeKey(changes[i])), changes[i]);
    EXPECT_LT(ChangePosition(changes[i].sequence), ChangeKey(changes[i]));
    if (i == 0) continue;
    EXPECT_LT(changes[i - 1], changes[i]);
    EXPECT_LT(ChangeKey(changes[i - 1]), ChangeKey(changes[i]));
  }
  const std::string token = ChangeKey(changes[0]);
  const std::string everything = ChangeKey(changes[4]);
  for (const std::string& no_change : {std::string(), token.substr(0, 8), token.substr(0, 24), token + "x",
                                       everything + "x", ChangePosition(1) + "\2", ChangePosition(1) + "\4"}) {
    EXPECT_EQ(ChangeOf(no_change), std::nullopt) << absl::CHexEscape(no_change);
  }
}

}  // namespace
}  // namespace pat::rocks
