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
#include "tests/server/authn/authenticator_test.h"
#include "tests/server/authn/passwords.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// ---- By password.

TEST_F(AuthenticatorTest, TheRightPasswordMakesAUser) {
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", kPassword)})), "user:ada");
  const absl::StatusOr<Principal> ada = Authenticate({Basic("ada", kPassword)});
  ASSERT_TRUE(ada.ok());
  EXPECT_EQ(ada->kind, PrincipalKind::kUser);
  EXPECT_EQ(ada->user_uid, FirstUidOf("ada"));
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

INSTANTIATE_TEST_SUITE_P(Shapes, MalformedAuthorizationTest,
                         testing::Values("", " ", "Basic", "Basic ", "basic:", "Basic !!!!", "Basic YWRh" /* "ada" */,
                                         "BasicYWRhOmFkYS1wYXNzd29yZA==", " Basic YWRhOmFkYS1wYXNzd29yZA==",
                                         "Basic\tYWRhOmFkYS1wYXNzd29yZA==", "Basic YWRhOmFkYS1wYXNzd29yZA===",
                                         "Basic YWRhOmFkYS1wYXNzd29yZA==,", "Basic ada:ada-password",
                                         "YWRhOmFkYS1wYXNzd29yZA==", "Bearer", "Bearer\tx", " Bearer x",
                                         "Digest username=ada",
                                         "Negotiate YWRhOmFkYS1wYXNzd29yZA==", std::string("Basic \0", 7),
                                         std::string("Basic YWRhOmFkYS1wYXNzd29yZA==\0", 31), "Basic \xff\xfe",
                                         Basic("ada", std::string(5000, 'x')), std::string(5000, 'x'),
                                         std::string(2049, ' ')));

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

// ---- How often one may be wrong.

TEST_F(AuthenticatorTest, WhoGuessesTooOftenHasToWait) {
  const std::string wrong = Basic("ada", "wrong");
  const auto from = [this](absl::string_view peer, const std::string& header) {
    return AuthenticateCall({.peer = peer, .authorization = {header}});
  };
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(Outcome(from(absl::StrCat("ipv4:10.0.0.7:", 1000 + i), wrong)), kInvalid);
  }
  const absl::Status refused = from("ipv4:10.0.0.7:1", Basic("ada", kPassword)).status();
  EXPECT_EQ(Outcome(refused), "RESOURCE_EXHAUSTED RATE_LIMITED");
  EXPECT_EQ(DetailsOf(refused)->retry_delay, absl::Seconds(1));
  EXPECT_EQ(Outcome(from("ipv4:10.0.0.8:1", Basic("ada", kPassword))), "user:ada");
  authority_.time.Advance(absl::Seconds(1));
  EXPECT_EQ(Outcome(from("ipv4:10.0.0.7:1", Basic("ada", kPassword))), "user:ada");
}

// A refusal says nothing about who exists.
TEST_F(AuthenticatorTest, StrangersAreLimitedLikeUsers) {
  for (const char* id : {"ada", "nobody", "disabled", "No user id"}) {
    std::vector<absl::Status> answers;
    for (int i = 0; i < 12; ++i) answers.push_back(Authenticate({Basic(id, "wrong")}).status());
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(Outcome(answers[i]), i < 10 ? kInvalid : "RESOURCE_EXHAUSTED RATE_LIMITED") << id << " " << i;
    }
  }
}

// Behind a proxy all certificates come from one address, and a certificate may be at many addresses.
TEST_F(AuthenticatorTest, APeerIsTheAddressTogetherWithTheCertificate) {
  const std::string wrong = Basic("ada", "wrong");
  const std::string right = Basic("ada", kPassword);
  const auto from = [this](absl::string_view peer, absl::string_view dns_name, const std::string& header) {
    CallInfo call{.peer = peer, .authorization = {header}};
    call.certificate.emplace().dns_names.push_back(dns_name);
    return AuthenticateCall(call);
  };
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Outcome(from("ipv4:10.0.0.7:1", "laptop", wrong)), kInvalid);
  EXPECT_EQ(Outcome(from("ipv4:10.0.0.7:2", "laptop", right)), "RESOURCE_EXHAUSTED RATE_LIMITED");
  EXPECT_EQ(Outcome(from("ipv4:10.0.0.7:2", "desktop", right)), "user:ada");
  EXPECT_EQ(Outcome(from("ipv4:10.0.0.8:2", "laptop", right)), "user:ada");
}

// gRPC calls all of them "unix:".
TEST_F(AuthenticatorTest, OfUnixSocketsEachIsAPeer) {
  const std::string wrong = Basic("ada", "wrong");
  const std::string right = Basic("ada", kPassword);
  const auto over = [this](absl::string_view listener, const std::string& header) {
    return AuthenticateCall({.listener = listener, .peer = "unix:", .authorization = {header}});
  };
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Outcome(over("unix:/a", wrong)), kInvalid);
  EXPECT_EQ(Outcome(over("unix:/a", right)), "RESOURCE_EXHAUSTED RATE_LIMITED");
  EXPECT_EQ(Outcome(over("unix:/b", right)), "user:ada");
}

// ---- Besides.

TEST_F(AuthenticatorTest, AnErrorOfTheStoreIsNoRefusal) {
  const IssuedToken issued = authority_.Issue("ada");
  FailReads();
  EXPECT_EQ(Outcome(Authenticate({Basic("ada", kPassword)})), "UNAVAILABLE without details");
  EXPECT_EQ(Outcome(Authenticate({Bearer(issued)})), "UNAVAILABLE STORE_UNAVAILABLE");
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
