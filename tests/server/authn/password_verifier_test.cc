#include "server/authn/password_verifier.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "tests/server/authn/passwords.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);
constexpr char kHere[] = "ipv4:10.0.0.7";

// ---- The record.

TEST(MakePasswordRecordTest, KeepsTheCostAndAFreshSalt) {
  const PasswordRecord first = MakePasswordRecord("secret", {.n = 4, .r = 2, .p = 3}).value();
  const PasswordRecord second = MakePasswordRecord("secret", {.n = 4, .r = 2, .p = 3}).value();
  EXPECT_EQ(first.scrypt_n, 4);
  EXPECT_EQ(first.scrypt_r, 2);
  EXPECT_EQ(first.scrypt_p, 3);
  EXPECT_EQ(first.salt.size(), 16);
  EXPECT_NE(first.salt, second.salt);
  EXPECT_NE(first.hash, second.hash);
}

TEST(MakePasswordRecordTest, CostsThirtyTwoMegabytesUnlessSaid) {
  const PasswordRecord record = MakePasswordRecord("secret").value();
  EXPECT_EQ(128 * record.scrypt_n * record.scrypt_r, size_t{32} << 20);
}

TEST(MakePasswordRecordTest, RefusesACostThatIsNone) {
  EXPECT_FALSE(MakePasswordRecord("secret", {.n = 3, .r = 1, .p = 1}).ok());
}

// ---- Right or not.

class PasswordVerifierTest : public testing::Test {
 protected:
  PasswordVerifierTest() {
    authority_.AddUser("ada");
    GivePassword(store(), "ada", "right");
  }

  TokenStore& store() { return *authority_.engine; }

  // "yes", "no", or the error.
  std::string Verify(absl::string_view id, absl::string_view password) {
    const absl::StatusOr<std::optional<UserRecord>> user = verifier_.Verify(id, password, kHere);
    if (!user.ok()) return user.status().ToString();
    if (!user->has_value()) return "no";
    EXPECT_EQ((*user)->id, id);
    return "yes";
  }

  // From now on every computation of scrypt for this user fails, and nothing else does: whoever still gets in was
  // remembered. The hash stays, so that it is the same password for everything but scrypt.
  void SpoilScrypt(absl::string_view id) {
    ChangePasswordRecord(store(), id, [](PasswordRecord& record) { record.scrypt_n = 3; });
  }
  bool Computes(absl::string_view id, absl::string_view password) {
    return Verify(id, password) == "INVALID_ARGUMENT: scrypt: n is not a power of two";
  }

  TestAuthority authority_;
  PasswordVerifier verifier_{authority_.store, authority_.clock, {.cost = kCheapCost}};
};

TEST_F(PasswordVerifierTest, SaysYesToTheRightPasswordOnly) {
  EXPECT_EQ(Verify("ada", "right"), "yes");
  for (const char* wrong : {"", "wrong", "Right", "right ", "righ", "rightright"}) {
    EXPECT_EQ(Verify("ada", wrong), "no") << wrong;
  }
  EXPECT_EQ(Verify("ada", absl::string_view("right\0", 6)), "no");
  EXPECT_EQ(Verify("ada", "right"), "yes");
}

TEST_F(PasswordVerifierTest, GivesTheUserAsItIsKept) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; });
  const absl::StatusOr<std::optional<UserRecord>> user = verifier_.Verify("ada", "right", kHere);
  ASSERT_TRUE(user.ok());
  EXPECT_EQ(*user, *store().GetUser("ada"));
}

TEST_F(PasswordVerifierTest, SaysNoToStrangersAndToThoseWhoMayNotLogIn) {
  EXPECT_EQ(Verify("nobody", "right"), "no");
  EXPECT_EQ(Verify("", ""), "no");
  authority_.AddUser("newcomer");
  EXPECT_EQ(Verify("newcomer", ""), "no");

  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  EXPECT_EQ(Verify("ada", "right"), "no");
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = false; });
  for (const UserType type : {UserType::kDirectory, UserType::kSaml}) {
    authority_.ChangeUser("ada", [type](UserRecord& user) { user.type = type; });
    EXPECT_EQ(Verify("ada", "right"), "no");
  }
  authority_.ChangeUser("ada", [](UserRecord& user) { user.type = UserType::kLocal; });
  EXPECT_EQ(Verify("ada", "right"), "yes");
}

TEST_F(PasswordVerifierTest, AnErrorOfTheStoreIsNoAnswer) {
  authority_.store.FailReadsWith(absl::DataLossError("bad block"));
  EXPECT_EQ(Verify("ada", "right"), "DATA_LOSS: bad block");
  EXPECT_EQ(Verify("nobody", "right"), "DATA_LOSS: bad block");
}

TEST_F(PasswordVerifierTest, ARecordThatCannotBeComputedIsAnErrorAndNoAnswer) {
  SpoilScrypt("ada");
  EXPECT_TRUE(Computes("ada", "right"));
  // A damaged cost does not make the server take gigabytes.
  ChangePasswordRecord(store(), "ada", [](PasswordRecord& record) { record.scrypt_n = uint64_t{1} << 60; });
  const absl::Status refused = verifier_.Verify("ada", "right", kHere).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  // With details: without, a caller would be told that the disk is full.
  ASSERT_TRUE(DetailsOf(refused).has_value()) << refused;
  EXPECT_EQ(DetailsOf(refused)->reason, "RATE_LIMITED");
  EXPECT_GT(DetailsOf(refused)->retry_delay, absl::ZeroDuration());
}

// ---- Remembered.

TEST_F(PasswordVerifierTest, ARightPasswordIsRememberedForAMinuteAndNotATickLonger) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  SpoilScrypt("ada");
  for (const absl::Duration step : {absl::ZeroDuration(), absl::Seconds(30), absl::Seconds(30)}) {
    authority_.time.Advance(step);
    EXPECT_EQ(Verify("ada", "right"), "yes");
  }
  authority_.time.Advance(kTick);
  EXPECT_TRUE(Computes("ada", "right"));
}

TEST_F(PasswordVerifierTest, UsingItDoesNotProlongTheMinute) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  SpoilScrypt("ada");
  for (int second = 1; second <= 60; ++second) {
    authority_.time.Advance(absl::Seconds(1));
    ASSERT_EQ(Verify("ada", "right"), "yes") << second;
  }
  authority_.time.Advance(absl::Seconds(1));
  EXPECT_TRUE(Computes("ada", "right"));
}

TEST_F(PasswordVerifierTest, TheMinuteEndsAlsoIfTheWallClockIsSetBack) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  SpoilScrypt("ada");
  authority_.time.SetWall(authority_.time.wall() - absl::Hours(24));
  EXPECT_EQ(Verify("ada", "right"), "yes");
  authority_.time.Advance(absl::Seconds(61));
  EXPECT_TRUE(Computes("ada", "right"));
}

TEST_F(PasswordVerifierTest, AWrongPasswordIsNotRemembered) {
  ASSERT_EQ(Verify("ada", "wrong"), "no");
  SpoilScrypt("ada");
  EXPECT_TRUE(Computes("ada", "wrong"));
}

TEST_F(PasswordVerifierTest, ARememberedPasswordMakesNoOtherOneRight) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  EXPECT_EQ(Verify("ada", "wrong"), "no");
  SpoilScrypt("ada");
  EXPECT_TRUE(Computes("ada", "wrong"));
  EXPECT_TRUE(Computes("ada", ""));
}

TEST_F(PasswordVerifierTest, ARememberedPasswordIsThatOfOneUser) {
  authority_.AddUser("bob");
  PutPasswordRecord(store(), "bob", *store().GetPassword(store().GetUser("ada").value()->uid).value());
  ASSERT_EQ(Verify("ada", "right"), "yes");
  SpoilScrypt("ada");
  SpoilScrypt("bob");
  EXPECT_EQ(Verify("ada", "right"), "yes");
  EXPECT_TRUE(Computes("bob", "right"));
}

TEST_F(PasswordVerifierTest, AChangedPasswordIsForgottenAtOnce) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  GivePassword(store(), "ada", "changed");
  EXPECT_EQ(Verify("ada", "right"), "no");
  EXPECT_EQ(Verify("ada", "changed"), "yes");
}

// The same password set anew is another record: computed once.
TEST_F(PasswordVerifierTest, APasswordThatIsSetAgainIsForgottenToo) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  GivePassword(store(), "ada", "right");
  SpoilScrypt("ada");
  EXPECT_TRUE(Computes("ada", "right"));
}

TEST_F(PasswordVerifierTest, WhoIsDisabledIsOutWithinTheMinute) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  EXPECT_EQ(Verify("ada", "right"), "no");
}

TEST_F(PasswordVerifierTest, WhatIsRememberedIsBounded) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  const PasswordRecord record = MakePasswordRecord("right", kCheapCost).value();
  for (int i = 0; i < 2000; ++i) {
    const std::string id = absl::StrCat("user-", i);
    authority_.AddUser(id);
    PutPasswordRecord(store(), id, record);
    ASSERT_EQ(Verify(id, "right"), "yes");
  }
  SpoilScrypt("ada");
  EXPECT_TRUE(Computes("ada", "right"));
}

// ---- What changes while scrypt computes.

TEST_F(PasswordVerifierTest, WhoIsDeletedOrShutOutDuringScryptIsOut) {
  const auto meanwhile = [this](const std::function<void()>& change) {
    authority_.store.AfterNextPassword(change);
    return Verify("ada", "right");
  };
  EXPECT_EQ(meanwhile([this] { authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; }); }), "no");
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = false; });
  EXPECT_EQ(meanwhile([this] { GivePassword(store(), "ada", "reset"); }), "no");
  GivePassword(store(), "ada", "right");
  EXPECT_EQ(meanwhile([this] { authority_.DeleteUser("ada"); }), "no");
  authority_.AddUser("ada");
  GivePassword(store(), "ada", "right");
  EXPECT_EQ(meanwhile([this] {
              authority_.DeleteUser("ada");
              authority_.AddUser("ada");
              GivePassword(store(), "ada", "right");
            }),
            "no");
  EXPECT_EQ(Verify("ada", "right"), "yes");
}

TEST_F(PasswordVerifierTest, WhoIsDemotedDuringScryptIsNoAdministrator) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; });
  authority_.store.AfterNextPassword(
      [this] { authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = false; }); });
  const absl::StatusOr<std::optional<UserRecord>> user = verifier_.Verify("ada", "right", kHere);
  ASSERT_TRUE(user.ok() && user->has_value());
  EXPECT_FALSE((*user)->administrator);
}

// ---- How often one may be wrong. (Counted in attempt_limiter_test.cc.)

TEST_F(PasswordVerifierTest, AfterTenWrongPasswordsTheRightOneHasToWaitToo) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Verify("ada", "wrong"), "no");
  const absl::Status refused = verifier_.Verify("ada", "right", kHere).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(DetailsOf(refused).has_value());
  EXPECT_EQ(DetailsOf(refused)->reason, "RATE_LIMITED");
  EXPECT_EQ(DetailsOf(refused)->retry_delay, absl::Seconds(1));
  EXPECT_TRUE(verifier_.Verify("ada", "right", "ipv4:10.0.0.8").value().has_value());
  authority_.time.Advance(absl::Seconds(1));
  EXPECT_EQ(Verify("ada", "right"), "yes");
  EXPECT_EQ(Verify("ada", "wrong"), "no");
  EXPECT_EQ(Verify("ada", "right"), "yes");
}

// Else a password that was right a moment ago could be guessed as fast as a hash is computed.
TEST_F(PasswordVerifierTest, WhatIsRememberedIsNoWayAroundTheLimit) {
  ASSERT_EQ(Verify("ada", "right"), "yes");
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Verify("ada", "wrong"), "no");
  EXPECT_EQ(verifier_.Verify("ada", "right", kHere).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(PasswordVerifierTest, AStrangerIsRefusedLikeAUser) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Verify("nobody", "wrong"), "no");
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Verify("ada", "wrong"), "no");
  EXPECT_EQ(verifier_.Verify("nobody", "wrong", kHere).status(), verifier_.Verify("ada", "wrong", kHere).status());
}

TEST_F(PasswordVerifierTest, WhatCouldNotBeAnsweredDoesNotCount) {
  authority_.store.FailReadsWith(absl::DataLossError("bad block"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Verify("ada", "wrong"), "DATA_LOSS: bad block");
}

// Else the server's own overload would keep out who has the right password, for up to a minute.
TEST_F(PasswordVerifierTest, WhatCouldNotBeAnsweredGivesTheTurnBack) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Verify("ada", "wrong"), "no");
  authority_.time.Advance(absl::Seconds(1));
  authority_.store.FailReadsWith(absl::DataLossError("bad block"));
  EXPECT_EQ(Verify("ada", "right"), "DATA_LOSS: bad block");
  authority_.store.FailReadsWith(absl::OkStatus());
  EXPECT_EQ(Verify("ada", "right"), "yes");
}

// ---- For those who set passwords.

TEST_F(PasswordVerifierTest, MakesWhatItAccepts) {
  const absl::StatusOr<PasswordRecord> record = verifier_.Make("new");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->scrypt_n, kCheapCost.n);
  PutPasswordRecord(store(), "ada", *record);
  EXPECT_EQ(Verify("ada", "new"), "yes");
  EXPECT_EQ(Verify("ada", "right"), "no");
}

TEST_F(PasswordVerifierTest, TellsWhetherAPasswordIsRightAndCountsWhenNot) {
  Passwords& passwords = verifier_;
  EXPECT_TRUE(passwords.IsRight("ada", "right", kHere).value());
  EXPECT_FALSE(passwords.IsRight("nobody", "right", kHere).value());
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(passwords.IsRight("ada", "wrong", kHere).value());
  EXPECT_EQ(passwords.IsRight("ada", "right", kHere).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(verifier_.Verify("ada", "right", kHere).status().code(), absl::StatusCode::kResourceExhausted);
}

// ---- The same work for all.

uint64_t WorkOf(const std::vector<ScryptCost>& costs) {
  uint64_t work = 0;
  for (const ScryptCost& cost : costs) work += cost.n * cost.r * cost.p;
  return work;
}

TEST(MissingWorkTest, FillsUpToTodaysCost) {
  const ScryptCost today;
  EXPECT_TRUE(MissingWork(today, today).empty());
  EXPECT_TRUE(MissingWork({.n = today.n * 2}, today).empty());
  for (const ScryptCost& stored :
       {ScryptCost{.n = today.n / 2}, ScryptCost{.n = today.n / 8}, ScryptCost{.n = 2, .r = 1, .p = 1},
        ScryptCost{.n = today.n / 2, .r = 4, .p = 3}, ScryptCost{.n = today.n, .r = 7, .p = 1}}) {
    const std::vector<ScryptCost> missing = MissingWork(stored, today);
    const uint64_t all = WorkOf({today});
    const uint64_t done = WorkOf({stored}) + WorkOf(missing);
    EXPECT_LE(done, all);
    EXPECT_GT(done, all - 2 * today.r);  // What is less than the least cost.
    for (const ScryptCost& cost : missing) {
      EXPECT_LE(cost.n, today.n);
      EXPECT_TRUE(Scrypt("", {}, {.n = cost.n, .r = 1, .p = cost.p}).ok());
    }
  }
  // Also where today's is many at once.
  EXPECT_EQ(WorkOf(MissingWork({.n = 4, .r = 1, .p = 1}, {.n = 4, .r = 1, .p = 5})), 16u);
}

// ---- At a time.

// How many are sent away depends on who is late; turnstile_test.cc counts. Here: whoever is, is told so in the right
// way.
TEST_F(PasswordVerifierTest, OfManyAtOnceSomeWaitAndTheOthersAreSentAway) {
  constexpr int kSlow = 2;
  constexpr int kMany = 60;
  const PasswordRecord slow = MakePasswordRecord("right", {.n = 1 << 15, .r = 8, .p = 8}).value();
  const PasswordRecord quick = MakePasswordRecord("right", kCheapCost).value();
  for (int i = 0; i < kSlow + kMany; ++i) {
    const std::string id = absl::StrCat("user-", i);
    authority_.AddUser(id);
    PutPasswordRecord(store(), id, i < kSlow ? slow : quick);
  }

  std::atomic<int> right = 0;
  std::vector<absl::Status> refused(kSlow + kMany);
  std::vector<std::thread> threads;
  absl::Barrier* const all_are_there = new absl::Barrier(kSlow + kMany);
  for (int i = 0; i < kSlow + kMany; ++i) {
    threads.emplace_back([&, i] {
      if (all_are_there->Block()) delete all_are_there;
      // The quick ones come later: what they do first takes longer than all that the slow ones do before scrypt.
      if (i >= kSlow) {
        EXPECT_TRUE(MakePasswordRecord("warm up", {.n = 1 << 12, .r = 8, .p = 1}).ok());
      }
      const absl::StatusOr<std::optional<UserRecord>> user = verifier_.Verify(absl::StrCat("user-", i), "right", kHere);
      if (user.ok() && user->has_value()) {
        ++right;
      } else {
        refused[i] = user.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  int sent_away = 0;
  for (const absl::Status& status : refused) {
    if (status.ok()) continue;
    ++sent_away;
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    const std::optional<ErrorDetails> details = DetailsOf(status);
    ASSERT_TRUE(details.has_value());
    EXPECT_EQ(details->reason, "RATE_LIMITED");
    ASSERT_TRUE(details->retry_delay.has_value());
    EXPECT_GT(*details->retry_delay, absl::ZeroDuration());
  }
  EXPECT_EQ(right + sent_away, kSlow + kMany);  // Nobody was told that a right password is wrong.
  EXPECT_GE(right, 16);                         // Nobody was sent away while there was room to wait.

  // The places are free again.
  EXPECT_EQ(Verify("ada", "right"), "yes");
}

}  // namespace
}  // namespace pat
