// RequestSecret: a password or a token in a request of a synchronous method, wiped when the call is done.
//
// gRPC hands a request over as const, but made it as a plain object, gives it to nobody else and destroys it unread
// when the handler has returned: it may be changed until then. (What the transport has read into its own buffers is out
// of reach.)
//
// Threads: for one thread.
#ifndef PAT_SERVER_RPC_REQUEST_SECRET_H_
#define PAT_SERVER_RPC_REQUEST_SECRET_H_

#include <string>

#include "absl/strings/string_view.h"
#include "server/crypto/wipe.h"

namespace pat {

class RequestSecret {
 public:
  // A text field of a request that gRPC owns.
  explicit RequestSecret(const std::string& field)
      : field_(const_cast<std::string&>(field)) {}  // NOLINT(cppcoreguidelines-pro-type-const-cast)

  // An empty field may be the one empty text that all messages share: not to be touched.
  ~RequestSecret() {
    if (!field_.empty()) SecureWipe(field_);
  }

  RequestSecret(const RequestSecret&) = delete;
  RequestSecret& operator=(const RequestSecret&) = delete;

  // Good until this object goes.
  absl::string_view view() const { return field_; }

 private:
  std::string& field_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_REQUEST_SECRET_H_
