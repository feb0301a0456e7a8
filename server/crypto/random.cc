#include "server/crypto/random.h"

#include <openssl/rand.h>

#include <cstdlib>

namespace pat {

void FillRandom(absl::Span<uint8_t> bytes) {
  // BoringSSL's RAND_bytes aborts by itself; the check is for a replacement
  // (PAT_BORINGSSL_ROOT) that does not.
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();
}

}  // namespace pat
