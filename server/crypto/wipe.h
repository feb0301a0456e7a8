#ifndef PAT_SERVER_CRYPTO_WIPE_H_
#define PAT_SERVER_CRYPTO_WIPE_H_

#include <cstddef>
#include <string>

namespace pat {

// Overwrites `size` bytes at `data` with zeros. Unlike memset, the compiler may
// not leave it out when nobody reads the memory afterwards. A null `data` with
// size 0 is fine.
void SecureWipe(void* data, size_t size);

// Overwrites all that `text` has allocated and leaves it empty. Copies that were
// made before, also by `text` itself when it grew, are not found.
void SecureWipe(std::string& text);

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_WIPE_H_
