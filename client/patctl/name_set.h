// Lists in which each name is once: the grants of a user, the scopes that the policy forbids.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_NAME_SET_H_
#define PAT_CLIENT_PATCTL_NAME_SET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace pat::patctl {

// Adds to `names` what is missing of `added`, behind what is there, and takes out `removed`. `what` they are is for the
// errors: "a grant of users/ada". INVALID_ARGUMENT: a name is in both. UNKNOWN (see Failed): one that is to be removed
// is not there; somebody may have mistyped it and believe that it is gone.
absl::Status ChangeNames(const std::vector<std::string>& added, const std::vector<std::string>& removed,
                         absl::string_view what, google::protobuf::RepeatedPtrField<std::string>& names);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_NAME_SET_H_
