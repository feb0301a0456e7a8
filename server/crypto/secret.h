#ifndef PAT_SERVER_CRYPTO_SECRET_H_
#define PAT_SERVER_CRYPTO_SECRET_H_

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"

namespace pat {

// Bytes that must not end up in a log, a core dump or a freed block of memory: a
// token, a password, a key.
//
//  - To look inside, one says Reveal(), which is easy to grep for. There is no
//    conversion to a string, and printing or formatting does not compile.
//  - Its memory is wiped when it is destroyed or assigned to.
//  - Moving it moves a pointer: no copy of the bytes stays behind. It cannot be
//    copied.
//  - == takes the same time wherever two secrets of one length differ.
//
// Different threads may call const methods at the same time. A moved-from secret
// is empty.
class Secret {
 public:
  // An empty secret.
  Secret() = default;

  // Takes the bytes of `text`, and wipes and empties it. Whoever has to copy to
  // call this keeps the copy's original: `Secret(std::string(view))` protects
  // only what it makes.
  explicit Secret(std::string&& text);

  ~Secret();

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  // The bytes. Valid until this is destroyed, moved from or assigned to; copy
  // them only into another secret or where they have to go.
  absl::string_view Reveal() const&;
  absl::string_view Reveal() && = delete;  // they would be gone at once

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend bool operator==(const Secret& a, const Secret& b);

 private:
  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;
  template <typename Sink>
  friend void AbslStringify(Sink&, const Secret&) = delete;

  void Wipe();

  // Not a std::string: a short one is kept inside the object, and a move would
  // leave it there. Null if and only if empty.
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_SECRET_H_
