// Everybody's tokens, or the last administrators, against others who are at work at the same time, over every engine.
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/store_facts.h"
#include "server/core/token_lifecycle.h"
#include "server/core/user_lifecycle.h"
#include "tests/server/core/at_the_same_time.h"
#include "tests/server/core/user_lifecycle_test.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

class MassRaceTest : public testing::TestWithParam<Engine> {
 protected:
  MassRaceTest() {
    AddUser(1, "ada", /*administrator=*/false);
    AddUser(2, "bob", /*administrator=*/false);
    ChangePolicy(store(), [](PolicyRecord& policy) { policy.maximum_live_tokens = 10'000; });
  }

  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  TokenStore& store() { return engine_->store(); }

  void AddUser(int number, const std::string& id, bool administrator) {
    UserRecord user = UserNumber(number);
    user.id = id;
    user.uid = FirstUidOf(id);
    user.type = UserType::kLocal;
    user.disabled = false;
    user.administrator = administrator;
    user.grants = {"*"};
    EXPECT_EQ(Put(store(), user), absl::OkStatus());
    const absl::Status done = store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status put = transaction.PutPassword(user.uid, {.salt = "salt"}); !put.ok()) return put;
      return Decision::kCommit;
    });
    EXPECT_EQ(done, absl::OkStatus());
  }

  TokenWithSecret Issue(const std::string& user_id, const std::string& display_name) {
    absl::StatusOr<TokenWithSecret> made =
        tokens_.Create(AsUser(user_id), {.parent = absl::StrCat("users/", user_id),
                                         .display_name = display_name,
                                         .scopes = {"OR.Folders"},
                                         .expiration = RequestedDuration{.seconds = 3600}});
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }

  bool IsActive(const Secret& secret) {
    const std::vector<TokenHmac> candidates = {parts_.peppers->Hmac(DigestOf(secret.Reveal()))};
    const absl::StatusOr<FindOutcome> outcome = store().FindByHmac(candidates, Blocking::kAllowed);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.ok() && outcome->found.has_value() &&
           JudgeSnapshot(*outcome->found, *parts_.catalog, parts_.clock.Now()).has_value();
  }

  // The number of the last change by this method.
  uint64_t SequenceOf(const std::string& method) {
    const AuditPage page = store().ListAudit({.newest_first = true, .limit = 1000}).value();
    for (const AuditRecord& row : page.rows) {
      if (row.method == method) return row.sequence;
    }
    return 0;
  }

  void RaceAgainst(const std::function<absl::StatusOr<uint64_t>()>& revoke, const std::string& method, bool bob_too);

  // Catalogue, pepper and clock; its store is not used.
  TestAuthority parts_;
  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  AuditLog audit_{store(), *parts_.peppers, parts_.clock};
  TokenLifecycle tokens_{store(), *parts_.peppers, *parts_.catalog,          parts_.retention,
                         audit_,  parts_.clock,    [](const TokenDigest&) {}};
  FakePasswords passwords_{store()};
  UserLifecycle users_{store(), *parts_.catalog, passwords_, audit_, *parts_.peppers, parts_.clock};
};

INSTANTIATE_TEST_SUITE_P(Every, MassRaceTest, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

// Tokens are made and regenerated while all are revoked: each is revoked exactly if it was made before, whichever
// secret it has got meanwhile, and the count is that of those.
void MassRaceTest::RaceAgainst(const std::function<absl::StatusOr<uint64_t>()>& revoke, const std::string& method,
                               bool bob_too) {
  constexpr int kOld = 10;
  constexpr int kMade = 10;
  for (int round = 0; round < 10; ++round) {
    std::vector<TokenWithSecret> old;
    for (int i = 0; i < kOld; ++i) old.push_back(Issue("ada", absl::StrCat("old ", round, " ", i)));
    std::vector<TokenWithSecret> others;
    for (int i = 0; i < 3; ++i) others.push_back(Issue("bob", absl::StrCat("old ", round, " ", i)));
    uint64_t counted_before = 0;
    for (const char* const id : {"ada", "bob"}) {
      if (id == absl::string_view("bob") && !bob_too) continue;
      counted_before +=
          tokens_.RevokeAll(AsUser(id), {.parent = absl::StrCat("users/", id), .validate_only = true})->revoked_count;
    }

    std::array<std::vector<TokenWithSecret>, 2> made;
    std::vector<std::pair<uint64_t, Secret>> regenerated;
    absl::StatusOr<uint64_t> count;
    const auto make = [&](size_t thread) {
      for (int i = 0; i < kMade; ++i) made[thread].push_back(Issue("ada", absl::StrCat(round, ".", thread, ".", i)));
    };
    AtTheSameTime({[&] { make(0); }, [&] { make(1); },
                   [&] {
                     for (const TokenWithSecret& token : old) {
                       absl::StatusOr<TokenWithSecret> again =
                           tokens_.Regenerate(AsUser("ada"), {.name = TokenName("ada", token.token.record.uid)});
                       if (again.ok()) {
                         regenerated.emplace_back(again->token.record.change_sequence, std::move(again->secret));
                       } else {
                         ExpectRefusal(again.status(), absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
                       }
                     }
                   },
                   [&] { count = revoke(); }});
    ASSERT_TRUE(count.ok()) << count.status();
    const uint64_t revoked_at = SequenceOf(method);

    uint64_t expected = counted_before;
    for (const std::vector<TokenWithSecret>& some : made) {
      for (const TokenWithSecret& token : some) {
        const bool before = token.token.record.create_sequence < revoked_at;
        expected += before ? 1 : 0;
        ASSERT_EQ(IsActive(token.secret), !before);
        const TokenView view = tokens_.Get(AsUser("ada"), TokenName("ada", token.token.record.uid)).value();
        ASSERT_EQ(view.state, before ? TokenState::kRevoked : TokenState::kActive);
      }
    }
    ASSERT_EQ(*count, expected);
    for (const TokenWithSecret& token : old) ASSERT_FALSE(IsActive(token.secret));
    for (const auto& [sequence, secret] : regenerated) {
      ASSERT_LT(sequence, revoked_at) << "a revoked token was regenerated";
      ASSERT_FALSE(IsActive(secret));
    }
    for (const TokenWithSecret& token : others) ASSERT_EQ(IsActive(token.secret), !bob_too);
  }
}

TEST_P(MassRaceTest, AllOfAUserAreRevokedWhoeverMakesSomeMeanwhile) {
  RaceAgainst(
      [this]() -> absl::StatusOr<uint64_t> {
        const absl::StatusOr<RevokedTokens> all = tokens_.RevokeAll(AsUser("ada"), {.parent = "users/ada"});
        if (!all.ok()) return all.status();
        return all->revoked_count;
      },
      "pat.v1.TokenService/RevokeAllTokens", /*bob_too=*/false);
}

TEST_P(MassRaceTest, EverybodysAreRevokedWhoeverMakesSomeMeanwhile) {
  AddUser(3, "root", /*administrator=*/true);
  RaceAgainst(
      [this]() -> absl::StatusOr<uint64_t> {
        const absl::StatusOr<RevokedTokens> all = tokens_.RevokeAll(AsAdministrator("root"), {.parent = "users/-"});
        if (!all.ok()) return all.status();
        return all->revoked_count;
      },
      "pat.v1.TokenService/RevokeAllTokens", /*bob_too=*/true);
}

// Each removes itself, or the other, who then is nobody any more: one of them stays.
TEST_P(MassRaceTest, TwoAdministratorsCannotBothBeRemoved) {
  int number = 100;
  std::string left;
  for (int round = 0; round < 40; ++round) {
    std::array<std::string, 2> ids = {left, absl::StrCat("root-", ++number)};
    if (left.empty()) {
      ids[0] = absl::StrCat("root-", ++number);
      AddUser(number, ids[0], true);
      ++number;
      ids[1] = absl::StrCat("root-", number);
    }
    AddUser(number, ids[1], true);
    std::array<absl::Status, 2> removed;
    const auto remove = [&](size_t who) {
      const std::string name = absl::StrCat("users/", ids[who]);
      const Principal principal = AsAdministrator(ids[(who + static_cast<size_t>(round)) % 2]);
      switch (round % 4) {
        case 0:
        case 1:
          removed[who] = users_.Delete(principal, {.name = name}).status();
          break;
        case 2:
          removed[who] =
              users_.Update(principal, {.name = name, .disabled = true, .update_mask = {"disabled"}}).status();
          break;
        default:
          removed[who] = users_.Update(principal, {.name = name, .update_mask = {"administrator"}}).status();
      }
    };
    AtTheSameTime({[&] { remove(0); }, [&] { remove(1); }});
    ASSERT_NE(removed[0].ok(), removed[1].ok()) << removed[0] << removed[1];
    const size_t refused = removed[0].ok() ? 1 : 0;
    switch (round % 4) {
      case 1:
        ExpectRefusal(removed[refused], absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
        break;
      case 3:
        ExpectRefusal(removed[refused], absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
        break;
      default:
        ExpectRefusal(removed[refused], absl::StatusCode::kFailedPrecondition, "LAST_ADMINISTRATOR");
    }
    left = ids[refused];
    const std::optional<UserRecord> user = store().GetUser(left).value();
    ASSERT_TRUE(user.has_value() && user->administrator && !user->disabled);
  }
}

// Whoever is deleted has no token from then on, also none that was being made.
TEST_P(MassRaceTest, ADeletedUserHasNoTokens) {
  AddUser(3, "root", /*administrator=*/true);
  for (int round = 0; round < 20; ++round) {
    const std::string id = absl::StrCat("user-", round);
    AddUser(1000 + round, id, /*administrator=*/false);
    absl::StatusOr<TokenWithSecret> made;
    absl::StatusOr<EndedTokens> ended;
    AtTheSameTime({[&] {
                     made = tokens_.Create(AsUser(id), {.parent = absl::StrCat("users/", id),
                                                        .display_name = "a token",
                                                        .scopes = {"OR.Folders"},
                                                        .expiration = RequestedDuration{.seconds = 3600}});
                   },
                   [&] { ended = users_.Delete(AsAdministrator("root"), {.name = absl::StrCat("users/", id)}); }});
    ASSERT_TRUE(ended.ok()) << ended.status();
    ASSERT_EQ(ended->revoked_count, made.ok() ? 1 : 0);
    if (made.ok()) {
      ASSERT_FALSE(IsActive(made->secret));
    } else {
      ExpectRefusal(made.status(), absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
    }
  }
}

}  // namespace
}  // namespace pat
