// Who a caller is by the way of coming: certificates, listeners, portals, and what they are worth beside a credential.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/authn/authenticator.h"
#include "server/core/principal.h"
#include "tests/server/authn/authenticator_test.h"
#include "tests/server/authn/passwords.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr ListenerRole kAllRoles[] = {ListenerRole::kNone, ListenerRole::kUser, ListenerRole::kIntrospector,
                                      ListenerRole::kPortal, ListenerRole::kDev};

const PeerCertificate kGateway{.spiffe_id = "spiffe://example.org/gateway", .uris = {"spiffe://example.org/gateway"}};
const PeerCertificate kSidecar{.spiffe_id = "spiffe://example.org/sidecar", .uris = {"spiffe://example.org/sidecar"}};
const PeerCertificate kPortal{.uris = {"https://example.org/portal"}};
const PeerCertificate kPortalForAdmin{.dns_names = {"portal.example.org"}};
const PeerCertificate kLaptop{.dns_names = {"laptop"}};
const PeerCertificate kStranger{.spiffe_id = "spiffe://example.org/stranger", .dns_names = {"stranger"}};
const PeerCertificate kTwoMinds{.spiffe_id = "spiffe://example.org/gateway", .dns_names = {"laptop"}};

class AuthenticatorTransportTest : public AuthenticatorTest {
 protected:
  std::string With(const PeerCertificate& certificate, const Headers& authorization = {},
                   const Headers& portal_user = {}) {
    return Outcome(AuthenticateCall({.certificate = certificate,
                                     .authorization = {authorization.begin(), authorization.end()},
                                     .portal_user = {portal_user.begin(), portal_user.end()}}));
  }

  // Whom the audit log is told of when this is refused, and where the call came from.
  std::string Refused(const CallInfo& call) {
    Principal refused;
    const absl::StatusOr<Principal> principal = authenticator_.Authenticate(call, &refused);
    EXPECT_FALSE(principal.ok());
    EXPECT_EQ(refused.peer, call.peer);
    EXPECT_FALSE(refused.administrator);
    return refused.ToString();
  }

  const std::string good_ = Basic("ada", kPassword);
};

// ---- Certificates.

TEST_F(AuthenticatorTransportTest, ACertificateIsWhatTheConfigurationSays) {
  EXPECT_EQ(With(kGateway), "introspector:spiffe://example.org/gateway");
  EXPECT_EQ(With(kPortal, {}, {"ada"}), "portal:https://example.org/portal as ada");
  EXPECT_EQ(With(kLaptop), kMissing);
}

TEST_F(AuthenticatorTransportTest, ACertificateWithoutARoleIsNobodyWhateverElseComesWithIt) {
  const std::string token = Bearer(authority_.Issue("ada"));
  FailReads();  // And nothing is looked up.
  for (const PeerCertificate& certificate : {kStranger, kTwoMinds, PeerCertificate{}}) {
    EXPECT_EQ(With(certificate), kInvalid);
    EXPECT_EQ(With(certificate, {good_}), kInvalid);
    EXPECT_EQ(With(certificate, {token}), kInvalid);
    EXPECT_EQ(With(certificate, {}, {"ada"}), kInvalid);
    EXPECT_EQ(With(certificate, {good_}, {"ada", "ada"}), kInvalid);
    // Nor does the listener stand for it.
    for (const ListenerRole role : kAllRoles) {
      EXPECT_EQ(Outcome(AuthenticateCall({.listener_role = role, .certificate = certificate})), kInvalid);
    }
  }
}

TEST_F(AuthenticatorTransportTest, TheListenersRoleAddsNothingToACertificates) {
  for (const ListenerRole role : kAllRoles) {
    EXPECT_EQ(Outcome(AuthenticateCall({.listener_role = role, .certificate = kLaptop})), kMissing);
    EXPECT_EQ(Outcome(AuthenticateCall({.listener_role = role, .certificate = kLaptop, .portal_user = {"ada"}})),
              kRoleRequired);
    EXPECT_EQ(Outcome(AuthenticateCall({.listener_role = role, .certificate = kGateway})),
              "introspector:spiffe://example.org/gateway");
  }
}

TEST_F(AuthenticatorTransportTest, OnlyAnEntryWithDigestsSendsDigests) {
  EXPECT_FALSE(AuthenticateCall({.certificate = kGateway})->may_send_digests);
  EXPECT_TRUE(AuthenticateCall({.certificate = kSidecar})->may_send_digests);
  EXPECT_FALSE(AuthenticateCall({.listener_role = ListenerRole::kDev, .certificate = kGateway})->may_send_digests);
  EXPECT_FALSE(
      AuthenticateCall({.certificate = kSidecar, .authorization = {absl::string_view(good_)}})->may_send_digests);
}

TEST_F(AuthenticatorTransportTest, EveryRoleMayPresentAPasswordOrATokenInstead) {
  const std::string token = Bearer(authority_.Issue("ada"));
  for (const PeerCertificate& certificate : {kGateway, kSidecar, kPortal, kPortalForAdmin, kLaptop}) {
    EXPECT_EQ(With(certificate, {good_}), "user:ada");
    EXPECT_THAT(With(certificate, {token}), testing::StartsWith("token:"));
    // It is then the only one that counts.
    EXPECT_EQ(With(certificate, {Basic("ada", "wrong")}), kInvalid);
    EXPECT_EQ(With(certificate, {"Bearer x"}), kInvalid);
    EXPECT_EQ(With(certificate, {""}), kInvalid);
    EXPECT_EQ(With(certificate, {"Bearer x"}, {"ada"}), kInvalid);
    EXPECT_EQ(With(certificate, {good_, good_}), kInvalid);
  }
}

// ---- Listeners.

TEST_F(AuthenticatorTransportTest, WithoutACredentialTheListenersRoleCounts) {
  const auto over = [this](ListenerRole role) {
    return Outcome(AuthenticateCall({.listener_role = role, .listener = "unix:/run/pat/pat.sock"}));
  };
  EXPECT_EQ(over(ListenerRole::kNone), kMissing);
  EXPECT_EQ(over(ListenerRole::kUser), kMissing);
  EXPECT_EQ(over(ListenerRole::kIntrospector), "introspector:unix:/run/pat/pat.sock");
  EXPECT_EQ(over(ListenerRole::kPortal), kMissing);
  EXPECT_EQ(over(ListenerRole::kDev), "introspector");
}

TEST_F(AuthenticatorTransportTest, OfListenersOnlyThatOfDevTakesDigests) {
  EXPECT_FALSE(Authenticate({}, {}, ListenerRole::kIntrospector)->may_send_digests);
  EXPECT_TRUE(Authenticate({}, {}, ListenerRole::kDev)->may_send_digests);
}

TEST_F(AuthenticatorTransportTest, APasswordIsJudgedOnEveryListenerAndBeatsItsRole) {
  for (const ListenerRole role : kAllRoles) {
    EXPECT_EQ(Outcome(Authenticate({good_}, {}, role)), "user:ada");
    EXPECT_EQ(Outcome(Authenticate({""}, {}, role)), kInvalid);
  }
}

TEST_F(AuthenticatorTransportTest, WhereOthersMayListenNoCredentialIsAcceptedNorLookedAt) {
  const std::string token = Bearer(authority_.Issue("ada"));
  FailReads();
  for (const ListenerRole role : kAllRoles) {
    for (const std::string& header : {good_, token}) {
      const absl::StatusOr<Principal> principal =
          AuthenticateCall({.listener_role = role, .confidential = false, .authorization = {header}});
      EXPECT_EQ(Outcome(principal), kInvalid);
      EXPECT_THAT(std::string(principal.status().message()), HasSubstr("TLS"));
    }
  }
  // What has no secret in it does not matter.
  EXPECT_EQ(Outcome(AuthenticateCall({.listener_role = ListenerRole::kIntrospector, .confidential = false})),
            "introspector");
}

TEST_F(AuthenticatorTransportTest, ThePeerIsKeptForTheAuditLog) {
  const auto peer = [this](const CallInfo& call) { return AuthenticateCall(call)->peer; };
  EXPECT_EQ(peer({.listener = "0.0.0.0:7443", .certificate = kGateway, .peer = "ipv4:10.0.0.7:47110"}),
            "ipv4:10.0.0.7:47110");
  EXPECT_EQ(peer({.listener = "0.0.0.0:7443", .peer = "ipv4:10.0.0.7:47110", .authorization = {good_}}),
            "ipv4:10.0.0.7:47110");
  EXPECT_EQ(peer({.listener_role = ListenerRole::kPortal,
                  .listener = "unix:/run/pat/pat.sock",
                  .peer = "unix:",
                  .portal_user = {"ada"}}),
            "unix:/run/pat/pat.sock");
}

// With the certificate, for one address may have many: so SetPassword counts like Basic.
TEST_F(AuthenticatorTransportTest, AgainstWhomAWrongPasswordCountsIsKept) {
  const auto call = [](absl::string_view address, const std::string& header) {
    return CallInfo{.listener = "0.0.0.0:7443", .certificate = kLaptop, .peer = address, .authorization = {header}};
  };
  const absl::StatusOr<Principal> ada = AuthenticateCall(call("ipv4:10.0.0.7:47110", good_));
  ASSERT_TRUE(ada.ok()) << ada.status();
  EXPECT_EQ(ada->attempt_peer, "ipv4:10.0.0.7 laptop");
  Passwords& passwords = passwords_;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(passwords.IsRight("ada", "wrong", ada->attempt_peer).value());
  EXPECT_EQ(AuthenticateCall(call("ipv4:10.0.0.7:47111", good_)).status().code(), absl::StatusCode::kResourceExhausted);
}

// ---- Portals.

TEST_F(AuthenticatorTransportTest, ThePortalActsForTheUserThatItNames) {
  for (const absl::StatusOr<Principal>& portal :
       {Authenticate({}, {"ada"}, ListenerRole::kDev), Authenticate({}, {"ada"}, ListenerRole::kPortal),
        AuthenticateCall({.certificate = kPortalForAdmin, .portal_user = {"ada"}})}) {
    ASSERT_TRUE(portal.ok()) << portal.status();
    EXPECT_EQ(portal->kind, PrincipalKind::kPortal);
    EXPECT_EQ(portal->user_id, "ada");
    EXPECT_EQ(portal->user_uid, FirstUidOf("ada"));
    EXPECT_FALSE(portal->user_is_listed);
    EXPECT_FALSE(portal->administrator);
    EXPECT_FALSE(portal->may_send_digests);
  }
  EXPECT_EQ(Outcome(Authenticate({}, {"ada"}, ListenerRole::kDev)), "portal as ada");
}

TEST_F(AuthenticatorTransportTest, APortalWithoutAUserIsNobody) {
  EXPECT_EQ(With(kPortal), kMissing);
  EXPECT_EQ(With(kPortalForAdmin), kMissing);
  EXPECT_EQ(Outcome(Authenticate({}, {}, ListenerRole::kPortal)), kMissing);
}

// Whether that user exists, and may have tokens, is for the rules of tokens to say.
TEST_F(AuthenticatorTransportTest, ThePortalDoesNotLearnWhoExists) {
  EXPECT_EQ(With(kPortal, {}, {"nobody"}), "portal:https://example.org/portal as nobody");
  EXPECT_EQ(AuthenticateCall({.certificate = kPortal, .portal_user = {"nobody"}})->user_uid, std::nullopt);
  EXPECT_EQ(With(kPortal, {}, {"directory"}), "portal:https://example.org/portal as directory");
}

TEST_F(AuthenticatorTransportTest, ThePortalActsForNoAdministratorUnlessItsEntryListsThatOne) {
  EXPECT_EQ(With(kPortal, {}, {"admin"}), kRoleRequired);
  EXPECT_EQ(Outcome(Authenticate({}, {"admin"}, ListenerRole::kDev)), kRoleRequired);
  EXPECT_EQ(Outcome(Authenticate({}, {"admin"}, ListenerRole::kPortal)), kRoleRequired);
  // And then without an administrator's rights.
  EXPECT_EQ(With(kPortalForAdmin, {}, {"admin"}), "portal:portal.example.org as admin");
  EXPECT_TRUE(AuthenticateCall({.certificate = kPortalForAdmin, .portal_user = {"admin"}})->user_is_listed);
  // Another one is not listed.
  authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; });
  EXPECT_EQ(With(kPortalForAdmin, {}, {"ada"}), kRoleRequired);
}

TEST_F(AuthenticatorTransportTest, TheListOfAdministratorsLimitsNobodyElse) {
  EXPECT_EQ(With(kPortalForAdmin, {}, {"ada"}), "portal:portal.example.org as ada");
  EXPECT_EQ(With(kPortalForAdmin, {}, {"ghost"}), "portal:portal.example.org as ghost");
}

TEST_F(AuthenticatorTransportTest, TheUsersHeaderIsForPortalsOnly) {
  for (const ListenerRole role : {ListenerRole::kNone, ListenerRole::kUser, ListenerRole::kIntrospector}) {
    EXPECT_EQ(Outcome(Authenticate({}, {"ada"}, role)), kRoleRequired);
    EXPECT_EQ(Outcome(Authenticate({}, {""}, role)), kRoleRequired);
  }
  for (const PeerCertificate& certificate : {kGateway, kSidecar, kLaptop}) {
    EXPECT_EQ(With(certificate, {}, {"ada"}), kRoleRequired);
  }
}

TEST_F(AuthenticatorTransportTest, TheUsersHeaderTwiceIsRefusedAlsoIfBothAreTheSame) {
  EXPECT_EQ(Outcome(Authenticate({}, {"ada", "ada"}, ListenerRole::kDev)), kRoleRequired);
  EXPECT_EQ(With(kPortal, {}, {"ada", "ada"}), kRoleRequired);
  EXPECT_EQ(With(kPortal, {}, {"ada", ""}), kRoleRequired);
}

TEST_F(AuthenticatorTransportTest, WhatIsNoUserIdIsRefusedWithoutARead) {
  FailReads();
  for (const std::string& id :
       {std::string(), std::string("Ada"), std::string("ada lovelace"), std::string("users/ada"), std::string("-"),
        std::string("ada,bob"), std::string("ada\nbob"), std::string("ada\0", 4), std::string("ädä"),
        std::string(64, 'a')}) {
    const absl::Status status = Authenticate({}, {id}, ListenerRole::kPortal).status();
    EXPECT_EQ(Outcome(status), kRoleRequired) << absl::CHexEscape(id);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("\n")));
  }
}

// ---- Who was refused.

TEST_F(AuthenticatorTransportTest, WhoMisusesTheUsersHeaderIsKnownByTheCertificate) {
  const auto refused = [this](const PeerCertificate& certificate, const Headers& portal_user) {
    return Refused({.certificate = certificate,
                    .peer = "ipv4:10.0.0.7:4711",
                    .portal_user = {portal_user.begin(), portal_user.end()}});
  };
  EXPECT_EQ(refused(kPortal, {"admin"}), "portal:https://example.org/portal as admin");
  EXPECT_EQ(refused(kGateway, {"admin"}), "introspector:spiffe://example.org/gateway");
  EXPECT_EQ(refused(kLaptop, {"admin"}), "certificate:laptop");
  // What is no user is not repeated: anything could stand there.
  EXPECT_EQ(refused(kPortal, {"Admin"}), "portal:https://example.org/portal");
  EXPECT_EQ(refused(kPortal, {"ada", "ada"}), "portal:https://example.org/portal");
  EXPECT_EQ(refused(kPortal, {}), "portal:https://example.org/portal");
  EXPECT_EQ(refused(kStranger, {"admin"}), "nobody");
}

TEST_F(AuthenticatorTransportTest, WhoMisusesTheUsersHeaderIsKnownByTheListener) {
  const auto refused = [this](ListenerRole role) {
    return Refused({.listener_role = role,
                    .listener = "unix:/run/pat/pat.sock",
                    .peer = "unix:/run/pat/pat.sock",
                    .portal_user = {"admin"}});
  };
  EXPECT_EQ(refused(ListenerRole::kPortal), "portal:unix:/run/pat/pat.sock as admin");
  EXPECT_EQ(refused(ListenerRole::kDev), "portal as admin");
  EXPECT_EQ(refused(ListenerRole::kIntrospector), "introspector:unix:/run/pat/pat.sock");
  // Whoever has shown nothing is nobody.
  EXPECT_EQ(refused(ListenerRole::kUser), "nobody");
  EXPECT_EQ(refused(ListenerRole::kNone), "nobody");
}

// A name is not an identity before its password was right.
TEST_F(AuthenticatorTransportTest, WhoHasAWrongCredentialIsNobody) {
  for (const std::string& wrong : {Basic("ada", "wrong"), std::string("Bearer x"), std::string("nonsense")}) {
    EXPECT_EQ(Refused({.certificate = kPortal, .authorization = {wrong}, .portal_user = {"admin"}}), "nobody");
  }
  EXPECT_EQ(Refused({}), "nobody");
}

TEST_F(AuthenticatorTransportTest, ThePasswordBeatsTheUsersHeader) {
  for (const ListenerRole role : kAllRoles) {
    EXPECT_EQ(Outcome(Authenticate({good_}, {"bob"}, role)), "user:ada");
    EXPECT_EQ(Outcome(Authenticate({good_}, {"bob", "bob"}, role)), "user:ada");
  }
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", "wrong")}, {"ada"}, ListenerRole::kDev)), kInvalid);
  EXPECT_EQ(Outcome(Authenticate({"Bearer x"}, {"ada"}, ListenerRole::kDev)), kInvalid);
}

}  // namespace
}  // namespace pat
