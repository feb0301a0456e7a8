#include "server/crypto/scrypt.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "absl/status/status.h"

namespace pat {
namespace {

absl::Status CheckCost(const ScryptCost& cost) {
  const bool power_of_two = (cost.n & (cost.n - 1)) == 0;
  if (cost.n < 2 || !power_of_two) {
    return absl::InvalidArgumentError("scrypt: n is not a power of two");
  }
  if (cost.r < 1) return absl::InvalidArgumentError("scrypt: r is 0");
  if (cost.p < 1 || cost.p > kMaxScryptParallelism) {
    return absl::InvalidArgumentError("scrypt: p is out of range");
  }
  // n + p + 2 blocks of 128 * r bytes. By division, as a product may overflow.
  const uint64_t blocks = kMaxScryptMemory / 128 / cost.r;
  if (blocks < cost.p + 2 || cost.n > blocks - cost.p - 2) {
    return absl::ResourceExhaustedError("scrypt: n * r takes too much memory");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ScryptKey> Scrypt(absl::string_view password, absl::Span<const uint8_t> salt, ScryptCost cost) {
  if (absl::Status status = CheckCost(cost); !status.ok()) return status;
  ScryptKey key;
  if (EVP_PBE_scrypt(password.data(), password.size(), salt.data(), salt.size(), cost.n, cost.r, cost.p,
                     kMaxScryptMemory, key.data(), key.size()) != 1) {
    ERR_clear_error();
    return absl::ResourceExhaustedError("scrypt: out of memory");
  }
  return key;
}

}  // namespace pat
