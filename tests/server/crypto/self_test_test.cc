#include "server/crypto/self_test.h"

#include <gtest/gtest.h>

namespace pat {
namespace {

// BORINGSSL_self_test exists in BoringSSL only, so that this passes at all says
// whose library is linked; self_test.cc does not compile with OpenSSL's headers.
TEST(CryptoSelfTestTest, Passes) {
  const absl::Status status = CryptoSelfTest();
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace pat
