#include "server/authn/authenticator.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "tests/server/authn/passwords.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "ada-password";

using Headers = std::vector<std::string>;

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    for (const char* id : {"ada", "admin", "disabled", "directory", "saml"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, kPassword);
    }
    authority_.AddUser("newcomer");  // Has no password yet.
    authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
    authority_.ChangeUser("disabled", [](UserRecord& user) { user.disabled = true; });
    authority_.ChangeUser("directory", [](UserRecord& user) { user.type = UserType::kDirectory; });
    authority_.ChangeUser("saml", [](UserRecord& user) { user.type = UserType::kSaml; });
  }

  absl::StatusOr<Principal> Authenticate(const Headers& authorization, const Headers& portal_user = {},
                                         ListenerRole role = ListenerRole::kNone) {
    return authenticator_.Authenticate({.method = "/pat.v1.TokenService/GetToken",
                                        .listener_role = role,
                                        .authorization = {authorization.begin(), authorization.end()},
                                        .portal_user = {portal_user.begin(), portal_user.end()}});
  }

  // "user:ada", "portal:ada", "introspector", or the reason of the refusal.
  std::string Outcome(const absl::StatusOr<Principal>& principal) {
    if (principal.ok()) return absl::StrCat(principal->ToString(), principal->administrator ? " administrator" : "");
    const std::optional<ErrorDetails> details = DetailsOf(principal.status());
    return absl::StrCat(absl::StatusCodeToString(principal.status().code()), " ",
                        details.has_value() ? details->reason : "without details");
  }

  void FailReads() { authority_.store.FailReadsWith(absl::UnavailableError("IO error: /data/db/000012.sst")); }

  TestAuthority authority_;
  PasswordVerifier passwords_{authority_.store, authority_.clock};
  Authenticator authenticator_{authority_.store, passwords_};
};

constexpr char kInvalid[] = "UNAUTHENTICATED CREDENTIALS_INVALID";
constexpr char kMissing[] = "UNAUTHENTICATED CREDENTIALS_MISSING";
constexpr char kRoleRequired[] = "PERMISSION_DENIED ROLE_REQUIRED";

// ---- By password.

TEST_F(AuthenticatorTest, TheRightPasswordMakesAUser) {
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", kPassword)})), "user:ada");
  const absl::StatusOr<Principal> ada = Authenticate({Basic("ada", kPassword)});
  ASSERT_TRUE(ada.ok());
  EXPECT_EQ(ada->kind, PrincipalKind::kUser);
  EXPECT_FALSE(ada->may_send_digests);
}

TEST_F(AuthenticatorTest, AnAdministratorIsOneByTheStoreAndNotByAnything) {
  EXPECT_EQ(Outcome(Authenticate({Basic("admin", kPassword)})), "user:admin administrator");
  authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = false; });
  EXPECT_EQ(Outcome(Authenticate({Basic("admin", kPassword)})), "user:admin");
}

TEST_F(AuthenticatorTest, TheSchemeIsCaseInsensitive) {
  const std::string credentials = Basic("ada", kPassword).substr(6);
  for (const char* scheme : {"Basic ", "basic ", "BASIC ", "bAsIc "}) {
    EXPECT_EQ(Outcome(Authenticate({scheme + credentials})), "user:ada") << scheme;
  }
}

// But for the zero byte, which scrypt cannot tell from nothing.
TEST_F(AuthenticatorTest, APasswordMayHaveColonsAndWhatIsNotAscii) {
  for (const std::string& password :
       {std::string("a:b:c"), std::string(":"), std::string("naïve pässwörd"), std::string(1500, 'x')}) {
    GivePassword(*authority_.engine, "ada", password);
    EXPECT_EQ(Outcome(Authenticate({Basic("ada", password)})), "user:ada") << absl::CHexEscape(password);
    EXPECT_EQ(Outcome(Authenticate({Basic("ada", password.substr(0, password.size() - 1))})), kInvalid);
  }
}

// Who guesses learns nothing: not who exists, not who may log in.
TEST_F(AuthenticatorTest, EveryPasswordThatDoesNotFitGetsTheSameAnswer) {
  const absl::Status wrong = Authenticate({Basic("ada", "ada-passwort")}).status();
  EXPECT_EQ(Outcome(wrong), kInvalid);
  for (const std::string& header :
       {Basic("nobody", kPassword), Basic("disabled", kPassword), Basic("directory", kPassword),
        Basic("saml", kPassword), Basic("newcomer", ""), Basic("ada", ""), Basic("", kPassword), Basic("", ""),
        Basic("ADA", kPassword), Basic("ada ", kPassword), Basic(absl::string_view("ada\0", 4), kPassword)}) {
    std::string decoded;
    ASSERT_TRUE(absl::Base64Unescape(header.substr(6), &decoded));
    // Code, text and details: status payloads are compared too.
    EXPECT_EQ(Authenticate({header}).status(), wrong) << absl::CHexEscape(decoded);
  }
}

// ---- What is no credential of ours. None of it needs a look into the store.

class MalformedAuthorizationTest : public AuthenticatorTest, public testing::WithParamInterface<std::string> {};

TEST_P(MalformedAuthorizationTest, IsRefusedWithoutAReadAndWithOneText) {
  FailReads();
  const absl::Status status = Authenticate({GetParam()}, {}, ListenerRole::kDev).status();
  EXPECT_EQ(Outcome(status), kInvalid);
  EXPECT_EQ(status, Authenticate({"nonsense"}).status());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MalformedAuthorizationTest,
    testing::Values("", " ", "Basic", "Basic ", "basic:", "Basic !!!!", "Basic YWRh" /* "ada" */,
                    "BasicYWRhOmFkYS1wYXNzd29yZA==", " Basic YWRhOmFkYS1wYXNzd29yZA==",
                    "Basic\tYWRhOmFkYS1wYXNzd29yZA==", "Basic YWRhOmFkYS1wYXNzd29yZA===",
                    "Basic YWRhOmFkYS1wYXNzd29yZA==,", "Basic ada:ada-password",
                    "YWRhOmFkYS1wYXNzd29yZA==", "Bearer pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi",
                    "Bearer YWRhOmFkYS1wYXNzd29yZA==", "Digest username=ada", "Negotiate YWRhOmFkYS1wYXNzd29yZA==",
                    std::string("Basic \0", 7), std::string("Basic YWRhOmFkYS1wYXNzd29yZA==\0", 31), "Basic \xff\xfe",
                    Basic("ada", std::string(5000, 'x')), std::string(5000, 'x'), std::string(2049, ' ')));

TEST_F(AuthenticatorTest, TheHeaderTwiceIsRefusedWithoutALookAtEither) {
  FailReads();
  const std::string good = Basic("ada", kPassword);
  EXPECT_EQ(Outcome(Authenticate({good, good})), kInvalid);
  EXPECT_EQ(Outcome(Authenticate({good, ""})), kInvalid);
  EXPECT_EQ(Outcome(Authenticate({"", "", ""})), kInvalid);
}

TEST_F(AuthenticatorTest, NoErrorRepeatsWhatWasGiven) {
  const std::string password = "correct horse battery";
  const std::string encoded = Basic("nobody", password);
  for (const Headers& headers : {Headers{encoded}, Headers{encoded, encoded}, Headers{"Bearer " + encoded.substr(6)},
                                 Headers{encoded + "=="}, Headers{Basic(std::string(3000, 'n'), password)}}) {
    const absl::Status status = Authenticate(headers).status();
    EXPECT_THAT(status.ToString(), Not(HasSubstr(password)));
    EXPECT_THAT(status.ToString(), Not(HasSubstr(encoded.substr(6))));
    EXPECT_THAT(status.ToString(), Not(HasSubstr("nobody")));
  }
}

// ---- By the listener.

TEST_F(AuthenticatorTest, WithoutACredentialTheListenersRoleCounts) {
  EXPECT_EQ(Outcome(Authenticate({}, {}, ListenerRole::kNone)), kMissing);
  EXPECT_EQ(Outcome(Authenticate({}, {}, ListenerRole::kIntrospector)), "introspector");
  EXPECT_EQ(Outcome(Authenticate({}, {}, ListenerRole::kDev)), "introspector");
}

TEST_F(AuthenticatorTest, OnlyTheDevListenerTakesDigests) {
  EXPECT_FALSE(Authenticate({}, {}, ListenerRole::kIntrospector)->may_send_digests);
  EXPECT_TRUE(Authenticate({}, {}, ListenerRole::kDev)->may_send_digests);
}

TEST_F(AuthenticatorTest, APasswordIsJudgedOnEveryListenerAndBeatsItsRole) {
  for (const ListenerRole role : {ListenerRole::kNone, ListenerRole::kIntrospector, ListenerRole::kDev}) {
    EXPECT_EQ(Outcome(Authenticate({Basic("ada", kPassword)}, {}, role)), "user:ada");
    EXPECT_EQ(Outcome(Authenticate({""}, {}, role)), kInvalid);
  }
}

// ---- By a portal.

TEST_F(AuthenticatorTest, ThePortalActsForTheUserThatItNames) {
  const absl::StatusOr<Principal> portal = Authenticate({}, {"ada"}, ListenerRole::kDev);
  EXPECT_EQ(Outcome(portal), "portal:ada");
  ASSERT_TRUE(portal.ok());
  EXPECT_FALSE(portal->administrator);
  EXPECT_FALSE(portal->may_send_digests);
}

// Whether that user exists, and may have tokens, is for the rules of tokens to say.
TEST_F(AuthenticatorTest, ThePortalDoesNotLearnWhoExists) {
  EXPECT_EQ(Outcome(Authenticate({}, {"nobody"}, ListenerRole::kDev)), "portal:nobody");
  EXPECT_EQ(Outcome(Authenticate({}, {"directory"}, ListenerRole::kDev)), "portal:directory");
}

TEST_F(AuthenticatorTest, ThePortalNeverActsForAnAdministrator) {
  EXPECT_EQ(Outcome(Authenticate({}, {"admin"}, ListenerRole::kDev)), kRoleRequired);
}

TEST_F(AuthenticatorTest, TheUsersHeaderIsForPortalsOnly) {
  EXPECT_EQ(Outcome(Authenticate({}, {"ada"}, ListenerRole::kNone)), kRoleRequired);
  EXPECT_EQ(Outcome(Authenticate({}, {"ada"}, ListenerRole::kIntrospector)), kRoleRequired);
  EXPECT_EQ(Outcome(Authenticate({}, {""}, ListenerRole::kIntrospector)), kRoleRequired);
}

TEST_F(AuthenticatorTest, TheUsersHeaderTwiceIsRefusedAlsoIfBothAreTheSame) {
  EXPECT_EQ(Outcome(Authenticate({}, {"ada", "ada"}, ListenerRole::kDev)), kRoleRequired);
  EXPECT_EQ(Outcome(Authenticate({}, {"ada", ""}, ListenerRole::kDev)), kRoleRequired);
}

TEST_F(AuthenticatorTest, WhatIsNoUserIdIsRefusedWithoutARead) {
  FailReads();
  for (const std::string& id :
       {std::string(), std::string("Ada"), std::string("ada lovelace"), std::string("users/ada"), std::string("-"),
        std::string("ada,bob"), std::string("ada\nbob"), std::string("ada\0", 4), std::string("ädä"),
        std::string(64, 'a')}) {
    const absl::Status status = Authenticate({}, {id}, ListenerRole::kDev).status();
    EXPECT_EQ(Outcome(status), kRoleRequired) << absl::CHexEscape(id);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("\n")));
  }
}

TEST_F(AuthenticatorTest, ThePasswordBeatsTheUsersHeader) {
  const std::string good = Basic("ada", kPassword);
  EXPECT_EQ(Outcome(Authenticate({good}, {"bob"}, ListenerRole::kDev)), "user:ada");
  EXPECT_EQ(Outcome(Authenticate({good}, {"bob", "bob"}, ListenerRole::kNone)), "user:ada");
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", "wrong")}, {"ada"}, ListenerRole::kDev)), kInvalid);
  EXPECT_EQ(Outcome(Authenticate({"Bearer x"}, {"ada"}, ListenerRole::kDev)), kInvalid);
}

// ---- Besides.

TEST_F(AuthenticatorTest, AnErrorOfTheStoreIsNoRefusal) {
  FailReads();
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", kPassword)})), "UNAVAILABLE without details");
  EXPECT_EQ(Outcome(Authenticate({}, {"ada"}, ListenerRole::kDev)), "UNAVAILABLE without details");
  EXPECT_EQ(Outcome(Authenticate({}, {}, ListenerRole::kDev)), "introspector");
}

TEST_F(AuthenticatorTest, TellsWhatMayTakeTime) {
  EXPECT_FALSE(Authenticator::MayBlock({}));
  EXPECT_FALSE(Authenticator::MayBlock({.listener_role = ListenerRole::kDev}));
  EXPECT_TRUE(Authenticator::MayBlock({.authorization = {""}}));
  EXPECT_TRUE(Authenticator::MayBlock({.portal_user = {"ada"}}));
}

}  // namespace
}  // namespace pat
