// The policy as a person sees it.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_POLICY_VIEW_H_
#define PAT_CLIENT_PATCTL_POLICY_VIEW_H_

#include <string>

#include "pat/v1/policy_service.pb.h"

namespace pat::patctl {

// All of it. Lines, escaped.
std::string ShowPolicy(const v1::Policy& policy);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_POLICY_VIEW_H_
