// From when until when a certificate is good: enough of X.509 to tell a person that a certificate has ended. It judges
// nothing: whom to trust is decided by the TLS library.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_CERTIFICATE_DATES_H_
#define PAT_CLIENT_CERTIFICATE_DATES_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pat::client {

struct CertificateDates {
  absl::Time begin;
  absl::Time end;
};

// Of the first certificate in `pem`. nullopt: there is none, or it is not one that this can read.
std::optional<CertificateDates> ReadCertificateDates(absl::string_view pem);

}  // namespace pat::client

#endif  // PAT_CLIENT_CERTIFICATE_DATES_H_
