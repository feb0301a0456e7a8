// Tokens as a person sees them.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_TOKEN_VIEW_H_
#define PAT_CLIENT_PATCTL_TOKEN_VIEW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "pat/v1/token.pb.h"

namespace pat::patctl {

// "ACTIVE"; a number, if the server is newer than this program.
std::string StateName(v1::Token::State state);

// One token, all of it. Lines, escaped.
std::string ShowToken(const v1::Token& token, absl::Time now);

// A row for each token; `with_owner` adds whose it is and when it was last used.
std::string ShowTokens(const std::vector<v1::Token>& tokens, bool with_owner, absl::Time now);

// "1 token", "3 tokens", "no token".
std::string CountTokens(int64_t count);

// The word for them in ShowLastAccept, after CountTokens. None: those that ended before are what is left to speak of.
std::string ThoseTokens(int64_t count);

// For a sentence: "\"ci\" (users/ada/tokens/...)", escaped.
std::string Describe(const v1::Token& token);

// Until when a revoked or replaced secret may still be accepted, as a sentence, rounded up. An instant that has passed:
// "no cache accepts it any more". `it`: "them", if there are several.
std::string ShowLastAccept(absl::Time last_accept, absl::Time now, absl::string_view it = "it");

// Until when answers may rest on what a user or the policy was before a change, in the same way.
std::string ShowLastAnswer(absl::Time last_answer, absl::Time now);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TOKEN_VIEW_H_
