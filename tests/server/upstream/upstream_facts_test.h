// UpstreamParts: an authority behind a server, and what a sidecar asks it with.
#ifndef PAT_TESTS_SERVER_UPSTREAM_UPSTREAM_FACTS_TEST_H_
#define PAT_TESTS_SERVER_UPSTREAM_UPSTREAM_FACTS_TEST_H_

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/upstream_facts.h"
#include "tests/support/fake_authority.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_authority.h"

namespace pat {

// The clock stands still here, so it is the number of attempts that ends a call.
inline constexpr UpstreamOptions kImpatient{.first_backoff = absl::Milliseconds(1),
                                            .longest_backoff = absl::Milliseconds(10)};

struct UpstreamParts {
  UpstreamParts() { authority_.AddUser("ada"); }

  static std::unique_ptr<AuthorityChannels> ChannelsTo(const std::vector<std::string>& addresses) {
    return AuthorityChannels::Create(addresses, grpc::InsecureChannelCredentials(), "").value();
  }

  // The address of a port at which nobody listens.
  std::string NobodysAddress() {
    FakeAuthority nobody(authority_.facts, authority_.clock);
    return nobody.address();
  }

  TestAuthority authority_;
  FakeAuthority server_{authority_.facts, authority_.clock};

  // The machine that asks has clocks of its own.
  FakeClockSource time_{absl::FromUnixSeconds(1'000'000'000)};
  const Clock clock_{time_};
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_UPSTREAM_UPSTREAM_FACTS_TEST_H_
