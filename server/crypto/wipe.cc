#include "server/crypto/wipe.h"

#include <openssl/mem.h>

namespace pat {

void SecureWipe(void* data, size_t size) { OPENSSL_cleanse(data, size); }

void SecureWipe(std::string& text) {
  text.resize(text.capacity());  // does not allocate
  SecureWipe(text.data(), text.size());
  text.clear();
}

}  // namespace pat
