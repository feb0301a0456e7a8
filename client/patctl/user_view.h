// Users as a person sees them.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_USER_VIEW_H_
#define PAT_CLIENT_PATCTL_USER_VIEW_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "pat/v1/user_service.pb.h"

namespace pat::patctl {

// "yes" or "no".
std::string YesOrNo(bool value);

// "LOCAL"; a number, if the server is newer than this program.
std::string TypeName(v1::User::Type type);

// One user, all of it. Lines, escaped.
std::string ShowUser(const v1::User& user, absl::Time now);

// A row for each user.
std::string ShowUsers(const std::vector<v1::User>& users);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_USER_VIEW_H_
