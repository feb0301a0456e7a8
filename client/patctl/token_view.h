// Tokens as a person sees them.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_TOKEN_VIEW_H_
#define PAT_CLIENT_PATCTL_TOKEN_VIEW_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "pat/v1/token.pb.h"

namespace pat::patctl {

// "ACTIVE"; a number, if the server is newer than this program.
std::string StateName(v1::Token::State state);

// One token, all of it. Lines, escaped.
std::string ShowToken(const v1::Token& token, absl::Time now);

// A row for each token; `with_owner` adds whose it is and when it was last used.
std::string ShowTokens(const std::vector<v1::Token>& tokens, bool with_owner, absl::Time now);

// For a sentence: "\"ci\" (users/ada/tokens/...)", escaped.
std::string Describe(const v1::Token& token);

// Until when a revoked or replaced secret may still be accepted, as a sentence, rounded up. An instant that has passed:
// "no cache accepts it any more".
std::string ShowLastAccept(absl::Time last_accept, absl::Time now);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TOKEN_VIEW_H_
