#include "server/crypto/self_test.h"

#include <openssl/crypto.h>

#ifndef OPENSSL_IS_BORINGSSL
#error "These are OpenSSL's headers. Only pat_boringssl may provide openssl/ here."
#endif

namespace pat {

absl::Status CryptoSelfTest() {
  if (BORINGSSL_self_test() != 1) {
    return absl::InternalError("BoringSSL's self test failed");
  }
  return absl::OkStatus();
}

}  // namespace pat
