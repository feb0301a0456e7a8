// The table of rights, compared with two other sources: the descriptors of the services (nothing forgotten, nothing
// invented) and the specification's table of callers, written down here once more by hand.
//
// That each of these methods is served is checked in tests/server/rpc/served_methods_test.cc.
#include "server/authn/rights.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "gtest/gtest.h"
#include "pat/v1/audit_service.pb.h"
#include "pat/v1/introspection_service.pb.h"
#include "pat/v1/policy_service.pb.h"
#include "pat/v1/token_service.pb.h"
#include "pat/v1/user_service.pb.h"
#include "server/core/error.h"

namespace pat {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// The files whose services the program serves, by a message of each.
std::vector<std::string> MethodsOfAllServices() {
  std::vector<std::string> methods;
  for (const google::protobuf::Descriptor* message :
       {v1::CreateTokenRequest::descriptor(), v1::IntrospectRequest::descriptor(), v1::CreateUserRequest::descriptor(),
        v1::GetPolicyRequest::descriptor(), v1::ListAuditEventsRequest::descriptor(),
        grpc::health::v1::HealthCheckRequest::descriptor(), grpc::reflection::v1::ServerReflectionRequest::descriptor(),
        grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()}) {
    const google::protobuf::FileDescriptor& file = *message->file();
    EXPECT_GE(file.service_count(), 1) << file.name();
    for (int i = 0; i < file.service_count(); ++i) {
      for (int j = 0; j < file.service(i)->method_count(); ++j) {
        methods.push_back(absl::StrCat("/", file.service(i)->full_name(), "/", file.service(i)->method(j)->name()));
      }
    }
  }
  std::sort(methods.begin(), methods.end());
  return methods;
}

TEST(RightsTableTest, HasEveryMethodOnceAndNoOther) {
  std::vector<std::string> rows;
  for (const MethodRights& row : RightsTable()) rows.emplace_back(row.method);
  std::sort(rows.begin(), rows.end());
  EXPECT_THAT(rows, ElementsAreArray(MethodsOfAllServices()));
}

TEST(RightsTableTest, NoRowIsForNobody) {
  for (const MethodRights& row : RightsTable()) EXPECT_NE(row.callers, 0) << row.method;
}

// ---- The specification's table. A letter for each caller who may: u local user, a administrator, p portal, t token,
// i introspector (with or without digests), n nobody.

const std::map<std::string, std::string>& Expected() {
  static const auto* const expected = new std::map<std::string, std::string>{
      // Own tokens: every local user and every portal on behalf of one. What an administrator may do with the tokens
      // of others is a rule of tokens, not of methods; so is that a token means itself.
      {"/pat.v1.TokenService/CreateToken", "uap"},
      {"/pat.v1.TokenService/GetToken", "uapt"},
      {"/pat.v1.TokenService/ListTokens", "uap"},
      {"/pat.v1.TokenService/UpdateToken", "uap"},
      {"/pat.v1.TokenService/RevokeToken", "uapt"},
      {"/pat.v1.TokenService/RegenerateToken", "uapt"},
      {"/pat.v1.TokenService/RevokeAllTokens", "uap"},
      // Any authenticated caller of any role.
      {"/pat.v1.TokenService/ReportLeakedToken", "uapti"},
      {"/pat.v1.TokenService/ListScopes", "uapti"},
      // Introspectors, and administrators for debugging.
      {"/pat.v1.IntrospectionService/Introspect", "ai"},
      {"/pat.v1.IntrospectionService/BatchIntrospect", "ai"},
      {"/pat.v1.IntrospectionService/WatchRevocations", "ai"},
      // "Introspectors only."
      {"/pat.v1.IntrospectionService/ReportUse", "i"},
      // Administrators only; a user may set the own password.
      {"/pat.v1.UserService/CreateUser", "a"},
      {"/pat.v1.UserService/GetUser", "a"},
      {"/pat.v1.UserService/ListUsers", "a"},
      {"/pat.v1.UserService/UpdateUser", "a"},
      {"/pat.v1.UserService/DeleteUser", "a"},
      {"/pat.v1.UserService/SetPassword", "ua"},
      {"/pat.v1.PolicyService/GetPolicy", "a"},
      {"/pat.v1.PolicyService/UpdatePolicy", "a"},
      {"/pat.v1.AuditService/ListAuditEvents", "a"},
      // No credential beyond what the listener asks.
      {"/grpc.health.v1.Health/Check", "uaptin"},
      {"/grpc.health.v1.Health/Watch", "uaptin"},
      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "uaptin"},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "uaptin"},
  };
  return *expected;
}

struct Caller {
  char letter;
  Principal principal;
};

std::vector<Caller> AllCallers() {
  return {{'u', {.kind = PrincipalKind::kUser, .user_id = "ada"}},
          {'a', {.kind = PrincipalKind::kUser, .user_id = "admin", .administrator = true}},
          {'p', {.kind = PrincipalKind::kPortal, .user_id = "ada"}},
          // A portal has no use for these two; they must not open anything.
          {'p', {.kind = PrincipalKind::kPortal, .user_id = "ada", .administrator = true, .may_send_digests = true}},
          {'t', {.kind = PrincipalKind::kToken, .user_id = "ada"}},
          {'t',
           {.kind = PrincipalKind::kToken,
            .user_id = "admin",
            .administrator = true,
            .may_regenerate_itself = true,
            .may_send_digests = true}},
          {'i', {.kind = PrincipalKind::kIntrospector}},
          {'i', {.kind = PrincipalKind::kIntrospector, .may_send_digests = true}},
          {'i', {.kind = PrincipalKind::kIntrospector, .user_id = "ada", .administrator = true}},
          {'n', {}},
          {'n', {.kind = PrincipalKind::kNobody, .user_id = "admin", .administrator = true}}};
}

TEST(CheckRightsTest, EveryCallerMayCallWhatTheSpecificationSaysAndNothingElse) {
  for (const auto& [method, letters] : Expected()) {
    for (const Caller& caller : AllCallers()) {
      EXPECT_EQ(CheckRights(caller.principal, method).ok(), absl::StrContains(letters, caller.letter))
          << caller.principal.ToString() << " calls " << method;
    }
  }
}

TEST(CheckRightsTest, TheExpectationIsCompleteToo) {
  std::vector<std::string> methods;
  for (const auto& [method, letters] : Expected()) methods.push_back(method);
  EXPECT_THAT(methods, ElementsAreArray(MethodsOfAllServices()));
}

TEST(CheckRightsTest, OnlyHealthAndReflectionAreForAnybody) {
  for (const auto& [method, letters] : Expected()) {
    EXPECT_EQ(IsForAnybody(method), absl::StrContains(letters, 'n')) << method;
  }
}

TEST(CheckRightsTest, WhatIsNotInTheTableIsDenied) {
  for (const char* method :
       {"", "/", "/pat.v1.TokenService", "/pat.v1.TokenService/", "pat.v1.TokenService/GetToken",
        "/pat.v1.TokenService/gettoken", "/pat.v1.TokenService/GetToken/", "/pat.v1.TokenService/GetTokenX",
        "/pat.v1.UserService/ImpersonateUser", "/pat.v2.UserService/CreateUser", "/pat.v1.PolicyService/DeletePolicy",
        "/grpc.health.v1.Health/List"}) {
    EXPECT_FALSE(IsForAnybody(method)) << method;
    for (const Caller& caller : AllCallers()) {
      EXPECT_EQ(CheckRights(caller.principal, method).code(), absl::StatusCode::kPermissionDenied)
          << caller.principal.ToString() << " calls " << method;
    }
  }
}

TEST(CheckRightsTest, ARefusalNamesTheRolesItTakes) {
  const absl::Status status = CheckRights({.kind = PrincipalKind::kIntrospector}, "/pat.v1.TokenService/CreateToken");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("user,portal"));
  const std::optional<ErrorDetails> details = DetailsOf(status);
  ASSERT_TRUE(details.has_value());
  EXPECT_EQ(details->reason, "ROLE_REQUIRED");
  EXPECT_EQ(details->metadata, (std::vector<std::pair<std::string, std::string>>{{"role", "user,portal"}}));

  const absl::Status administrators =
      CheckRights({.kind = PrincipalKind::kUser, .user_id = "ada"}, "/pat.v1.IntrospectionService/Introspect");
  EXPECT_THAT(std::string(administrators.message()), HasSubstr("administrator,introspector"));

  const absl::Status tokens =
      CheckRights({.kind = PrincipalKind::kIntrospector}, "/pat.v1.TokenService/RegenerateToken");
  EXPECT_THAT(std::string(tokens.message()), HasSubstr("user,portal,token"));
}

// A user who asks for something that is not allowed learns nothing about other users or other methods.
TEST(CheckRightsTest, TheRefusalIsTheSameForEverybody) {
  const char* const method = "/pat.v1.IntrospectionService/ReportUse";
  const absl::Status ada = CheckRights({.kind = PrincipalKind::kUser, .user_id = "ada"}, method);
  EXPECT_EQ(CheckRights({.kind = PrincipalKind::kUser, .user_id = "admin", .administrator = true}, method), ada);
  EXPECT_EQ(CheckRights({.kind = PrincipalKind::kPortal, .user_id = "bob"}, method), ada);
  EXPECT_EQ(CheckRights({.kind = PrincipalKind::kToken, .user_id = "bob"}, method), ada);
}

}  // namespace
}  // namespace pat
