#include "server/ops/dev_users.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/authn/password_verifier.h"
#include "server/crypto/random.h"

namespace pat {

absl::Span<const DevUser> DevUsers() {
  static const auto* const users = new std::vector<DevUser>{
      {"admin", UserType::kLocal, true, {"*"}, "administrator; sees and revokes everybody's tokens"},
      {"ada", UserType::kLocal, false, {"*"}, "may do everything that a scope can say"},
      {"bob",
       UserType::kLocal,
       false,
       {"OR.Assets", "OR.Folders.Read", "TM.Defects"},
       "may do little: a token of his never does more, whatever its scopes"},
      {"dora", UserType::kDirectory, false, {"*"}, "directory user: cannot have tokens"},
      {"sam", UserType::kSaml, false, {"*"}, "SAML user: cannot have tokens"},
  };
  return *users;
}

absl::Status MakeDevUsers(TokenStore& store, absl::Time now) {
  for (const DevUser& sample : DevUsers()) {
    const absl::StatusOr<std::optional<UserRecord>> known = store.GetUser(sample.id);
    if (!known.ok()) return known.status();
    if (known->has_value()) continue;
    std::optional<PasswordRecord> password;
    if (sample.type == UserType::kLocal) {
      absl::StatusOr<PasswordRecord> made = MakePasswordRecord(absl::StrCat(sample.id, "-password"));
      if (!made.ok()) return made.status();
      password = *std::move(made);
    }
    UserRecord user;
    FillRandom(absl::MakeSpan(user.uid.bytes));
    user.id = sample.id;
    user.type = sample.type;
    user.administrator = sample.administrator;
    user.grants = sample.grants;
    user.create_time = now;
    absl::Status done = store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      user.change_sequence = transaction.Sequence();
      if (absl::Status status = transaction.PutUser(user); !status.ok()) return status;
      if (password.has_value()) {
        if (absl::Status status = transaction.PutPassword(user.uid, *password); !status.ok()) return status;
      }
      return Decision::kCommit;
    });
    if (!done.ok()) return done;
  }
  return absl::OkStatus();
}

}  // namespace pat
