// What certificate a server shows: for telling a person why it was not trusted, and for nothing else.
//
// Threads: any.
#ifndef PAT_CLIENT_PEER_CERTIFICATE_H_
#define PAT_CLIENT_PEER_CERTIFICATE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/certificate_dates.h"
#include "client/server_address.h"

namespace pat::client {

struct PeerCertificate {
  std::vector<std::string> names;  // The host names and addresses that it is made out to. Not trustworthy: escape them.
  std::optional<CertificateDates> dates;
};

// Connects, looks at the certificate whoever signed it, and breaks the connection off before anything but TLS's own
// messages is sent over it. nullopt: within `timeout` no certificate came.
std::optional<PeerCertificate> LookAtPeerCertificate(const ServerAddress& address, absl::Duration timeout);

}  // namespace pat::client

#endif  // PAT_CLIENT_PEER_CERTIFICATE_H_
