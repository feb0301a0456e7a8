// TokenLifecycleTest: the rules of a token's life over the memory engine, with two users and an administrator.
#ifndef PAT_TESTS_SERVER_CORE_TOKEN_LIFECYCLE_TEST_H_
#define PAT_TESTS_SERVER_CORE_TOKEN_LIFECYCLE_TEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/token_lifecycle.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {

inline constexpr absl::Duration kTick = absl::Nanoseconds(1);
inline constexpr absl::Duration kDay = absl::Hours(24);

// Well-formed, and never given to a token.
inline constexpr absl::string_view kAbsentUid = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";

// Ada and bob have accounts; root is an administrator and has one too.
class TokenLifecycleTest : public testing::Test {
 protected:
  TokenLifecycleTest() {
    for (const absl::string_view id : {"ada", "bob", "root"}) authority_.AddUser(id);
    authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = true; });
  }

  absl::Time Now() const { return authority_.clock.Now(); }
  void Advance(absl::Duration duration) { authority_.time.Advance(duration); }
  void AdvanceTo(absl::Time time) { Advance(time - Now()); }

  TokenLifecycle& tokens() { return authority_.tokens; }
  CreateTokenQuery GoodCreation() { return authority_.GoodCreation("ada"); }
  IssuedToken Issue() { return authority_.Issue("ada"); }

  absl::StatusOr<TokenWithSecret> Create(const CreateTokenQuery& query) {
    return tokens().Create(AsUser("ada"), query);
  }
  absl::StatusOr<TokenView> Update(const UpdateTokenQuery& query) { return tokens().Update(AsUser("ada"), query); }
  absl::StatusOr<RevokedToken> Revoke(const RevokeTokenQuery& query) { return tokens().Revoke(AsUser("ada"), query); }
  absl::StatusOr<TokenWithSecret> Regenerate(const RegenerateTokenQuery& query) {
    return tokens().Regenerate(AsUser("ada"), query);
  }

  // The token as ada sees it; a refusal fails the test.
  TokenView View(const std::string& name) {
    absl::StatusOr<TokenView> view = tokens().Get(AsUser("ada"), name);
    if (!view.ok()) {
      ADD_FAILURE() << view.status();
      return {};
    }
    return *std::move(view);
  }
  TokenView View(const IssuedToken& token) { return View(token.name); }
  std::string EtagOf(const IssuedToken& token) { return TokenLifecycle::EtagOf(View(token).record); }

  // The names of what ada's list shows.
  std::vector<std::string> Listed(bool show_revoked = false) {
    const absl::StatusOr<TokenViewPage> page =
        tokens().List(AsUser("ada"), {.parent = "users/ada", .show_revoked = show_revoked});
    std::vector<std::string> names;
    if (!page.ok()) {
      ADD_FAILURE() << page.status();
      return names;
    }
    for (const TokenView& token : page->tokens) names.push_back(TokenName(token.record.owner_id, token.record.uid));
    return names;
  }

  // What the store finds under a secret, judged by nobody.
  std::optional<TokenRecord> Found(const TokenDigest& digest) {
    const std::vector<TokenHmac> candidates = {authority_.peppers->Hmac(digest)};
    const absl::StatusOr<FindOutcome> outcome = authority_.engine->FindByHmac(candidates, Blocking::kAllowed);
    if (!outcome.ok() || !outcome->found.has_value()) return std::nullopt;
    return outcome->found->token;
  }

  uint64_t CommitSequence() const { return authority_.engine->CommitSequence(); }

  TestAuthority authority_;
};

// An instant, or a life, as requests give them.
inline RequestedInstant At(absl::Time time) { return {.seconds = absl::ToUnixSeconds(time)}; }
inline RequestedDuration For(absl::Duration duration) { return {.seconds = absl::ToInt64Seconds(duration)}; }

// The digest of the secret that an answer shows.
inline TokenDigest DigestOf(const TokenWithSecret& made) { return DigestOf(made.secret.Reveal()); }

inline std::string NameOf(const TokenView& token) { return TokenName(token.record.owner_id, token.record.uid); }

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CORE_TOKEN_LIFECYCLE_TEST_H_
