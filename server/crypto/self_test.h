#ifndef PAT_SERVER_CRYPTO_SELF_TEST_H_
#define PAT_SERVER_CRYPTO_SELF_TEST_H_

#include "absl/status/status.h"

namespace pat {

// Runs BoringSSL's power-on self test: known answers for its primitives on this
// very processor, in a few milliseconds. Fails with Internal if one is wrong;
// then no secret must be issued or checked.
absl::Status CryptoSelfTest();

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_SELF_TEST_H_
