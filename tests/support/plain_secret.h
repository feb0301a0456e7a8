// Secrets as plain text, which only tests have.
#ifndef PAT_TESTS_SUPPORT_PLAIN_SECRET_H_
#define PAT_TESTS_SUPPORT_PLAIN_SECRET_H_

#include <array>
#include <cstdint>
#include <string>

#include "server/core/token_secret.h"

namespace pat {

inline std::string PlainSecret(const Secret& secret) { return std::string(secret.Reveal()); }

// A new one, of the right form, that no store knows.
inline std::string NewPlainSecret() { return PlainSecret(MintSecret()); }

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_PLAIN_SECRET_H_
