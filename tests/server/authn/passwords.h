// Passwords for users of a test: at a cost that takes no time, so that only strangers' passwords take the real one's.
#ifndef PAT_TESTS_SERVER_AUTHN_PASSWORDS_H_
#define PAT_TESTS_SERVER_AUTHN_PASSWORDS_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "server/authn/password_verifier.h"
#include "server/crypto/scrypt.h"
#include "store/token_store.h"

namespace pat {

inline constexpr ScryptCost kCheapCost{.n = 2, .r = 1, .p = 1};

inline void PutPasswordRecord(TokenStore& store, absl::string_view user_id, const PasswordRecord& record) {
  const absl::Status done = store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const UserUid uid = transaction.GetUser(user_id).value().value().uid;
    if (absl::Status status = transaction.PutPassword(uid, record); !status.ok()) return status;
    return Decision::kCommit;
  });
  ASSERT_TRUE(done.ok()) << done;
}

inline void GivePassword(TokenStore& store, absl::string_view user_id, absl::string_view password,
                         ScryptCost cost = kCheapCost) {
  const absl::StatusOr<PasswordRecord> record = MakePasswordRecord(password, cost);
  ASSERT_TRUE(record.ok()) << record.status();
  PutPasswordRecord(store, user_id, *record);
}

// Changes what is kept, as no code of the product ever does.
inline void ChangePasswordRecord(TokenStore& store, absl::string_view user_id,
                                 absl::FunctionRef<void(PasswordRecord&)> change) {
  const UserUid uid = store.GetUser(user_id).value().value().uid;
  PasswordRecord record = store.GetPassword(uid).value().value();
  change(record);
  PutPasswordRecord(store, user_id, record);
}

// The value of an authorization header.
inline std::string Basic(absl::string_view name, absl::string_view password) {
  return absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(name, ":", password)));
}

}  // namespace pat

#endif  // PAT_TESTS_SERVER_AUTHN_PASSWORDS_H_
