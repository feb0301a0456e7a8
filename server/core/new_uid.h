// Names for new things.
#ifndef PAT_SERVER_CORE_NEW_UID_H_
#define PAT_SERVER_CORE_NEW_UID_H_

#include <cstdint>

#include "absl/types/span.h"
#include "server/crypto/random.h"

namespace pat {

// A random UUID (RFC 9562, version 4), as a TokenUid or a UserUid.
template <typename AnyUid>
AnyUid NewUid() {
  AnyUid uid;
  FillRandom(absl::MakeSpan(uid.bytes));
  uid.bytes[6] = static_cast<uint8_t>((uid.bytes[6] & 0x0f) | 0x40);
  uid.bytes[8] = static_cast<uint8_t>((uid.bytes[8] & 0x3f) | 0x80);
  return uid;
}

}  // namespace pat

#endif  // PAT_SERVER_CORE_NEW_UID_H_
