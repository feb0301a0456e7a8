// The sample users of `patd dev`.
#ifndef PAT_SERVER_OPS_DEV_USERS_H_
#define PAT_SERVER_OPS_DEV_USERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/records.h"
#include "store/token_store.h"

namespace pat {

struct DevUser {
  const char* id;
  UserType type;
  bool administrator;
  std::vector<std::string> grants;
  const char* about;  // For the list that is printed at the start.
};

// admin, ada, bob (local; the password is the id and "-password"), dora (directory), sam (SAML).
absl::Span<const DevUser> DevUsers();

// Makes those that are not there yet, with their passwords.
absl::Status MakeDevUsers(TokenStore& store, absl::Time now);

}  // namespace pat

#endif  // PAT_SERVER_OPS_DEV_USERS_H_
