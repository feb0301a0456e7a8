// 10,000 random questions of (caller, method, subject, scopes), each in a world of its own: what authentication, the
// table of rights and the rules answer together, against the model in callers_model.h.
//
// And who is refused has changed nothing.
#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "gtest/gtest.h"
#include "pat/v1/audit_service.pb.h"
#include "pat/v1/introspection_service.pb.h"
#include "pat/v1/policy_service.pb.h"
#include "pat/v1/token_service.pb.h"
#include "pat/v1/user_service.pb.h"
#include "server/authn/authenticator.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/authn/rights.h"
#include "server/core/audit_log.h"
#include "server/core/policy_rules.h"
#include "server/core/principal.h"
#include "server/core/resource_name.h"
#include "server/core/user_lifecycle.h"
#include "tests/server/authn/callers_model.h"
#include "tests/server/authn/passwords.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using model::Answer;
using model::Caller;
using model::Question;
using model::Scopes;
using model::Subject;

constexpr int kQuestions = 10'000;
constexpr uint64_t kSeed = 20'240'607;

constexpr char kUser[] = "ada";
constexpr char kOther[] = "bob";
constexpr char kAdministrator[] = "admin";
constexpr char kDisabled[] = "dan";
constexpr char kNobody[] = "ghost";

std::string PasswordOf(absl::string_view id) { return absl::StrCat(id, "-password"); }

std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  for (const google::protobuf::Descriptor* message :
       {v1::CreateTokenRequest::descriptor(), v1::IntrospectRequest::descriptor(), v1::CreateUserRequest::descriptor(),
        v1::GetPolicyRequest::descriptor(), v1::ListAuditEventsRequest::descriptor(),
        grpc::health::v1::HealthCheckRequest::descriptor(), grpc::reflection::v1::ServerReflectionRequest::descriptor(),
        grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()}) {
    const google::protobuf::FileDescriptor& file = *message->file();
    for (int i = 0; i < file.service_count(); ++i) {
      for (int j = 0; j < file.service(i)->method_count(); ++j) {
        methods.push_back(absl::StrCat("/", file.service(i)->full_name(), "/", file.service(i)->method(j)->name()));
      }
    }
  }
  return methods;
}

std::string TextOf(const Question& question) {
  return absl::StrCat(model::kCallerNames[static_cast<int>(question.caller)], " calls ", question.method, " on ",
                      model::kSubjectNames[static_cast<int>(question.subject)], ", scopes ",
                      model::kScopesNames[static_cast<int>(question.scopes)],
                      question.new_end ? ", with a new end" : "");
}

absl::StatusCode CodeOf(Answer answer) {
  switch (answer) {
    case Answer::kOk:
      return absl::StatusCode::kOk;
    case Answer::kUnauthenticated:
      return absl::StatusCode::kUnauthenticated;
    case Answer::kPermissionDenied:
      return absl::StatusCode::kPermissionDenied;
    case Answer::kNotFound:
      return absl::StatusCode::kNotFound;
    case Answer::kAlreadyExists:
      return absl::StatusCode::kAlreadyExists;
    case Answer::kInvalidArgument:
      return absl::StatusCode::kInvalidArgument;
  }
  return absl::StatusCode::kUnknown;
}

// The real thing, small.
class World {
 public:
  explicit World(const Question& question) : question_(question) {
    // root is there so that no call fails because it would remove the last administrator.
    for (const char* id : {kUser, kOther, kAdministrator, kDisabled, "root"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, PasswordOf(id));
    }
    for (const char* id : {kAdministrator, "root"}) {
      authority_.ChangeUser(id, [](UserRecord& user) { user.administrator = true; });
    }
    authority_.ChangeUser(kDisabled, [](UserRecord& user) { user.disabled = true; });
    own_ = Issue(Own());
    sibling_ = Issue(Own());
    others_ = Issue(kOther);
    if (question.scopes == Scopes::kSelfRegenerateNotGranted) {
      authority_.ChangeUser(Own(), [](UserRecord& user) { user.grants = {"OR.Folders"}; });
    }
    if (question.caller == Caller::kRevokedToken) authority_.Revoke(own_);
  }

  absl::Status Ask() {
    if (IsForAnybody(question_.method)) return absl::OkStatus();
    const absl::StatusOr<Principal> principal = Authenticate();
    if (!principal.ok()) return principal.status();
    if (absl::Status status = CheckRights(*principal, question_.method); !status.ok()) return status;
    return Call(*principal);
  }

  uint64_t changes() const { return authority_.engine->CommitSequence(); }

 private:
  // As whom the caller acts, if as anybody.
  const char* Own() const {
    switch (question_.caller) {
      case Caller::kAdministrator:
      case Caller::kAdministratorsToken:
      case Caller::kPortalForAdministrator:
      case Caller::kPortalForListedAdministrator:
      case Caller::kStrangerWithAdministratorsPassword:
        return kAdministrator;
      default:
        return kUser;
    }
  }

  std::vector<std::string> ScopesOf() const {
    if (question_.scopes == Scopes::kOther) return {"OR.Folders"};
    return {"OR.Folders", "PAT.SelfRegenerate"};
  }

  IssuedToken Issue(absl::string_view owner) {
    CreateTokenQuery query = authority_.GoodCreation(owner);
    query.scopes = ScopesOf();
    return authority_.Issue(query);
  }

  // ---- What the caller brings.

  absl::StatusOr<Principal> Authenticate() {
    const std::string password = Basic(Own(), PasswordOf(Own()));
    const std::string wrong_password = Basic(Own(), "wrong");
    const std::string disabled = Basic(kDisabled, PasswordOf(kDisabled));
    const std::string token = absl::StrCat("Bearer ", own_.secret);
    CallInfo call{.method = question_.method, .listener = "0.0.0.0:7443", .peer = "ipv4:10.0.0.7:47110"};
    const auto over_socket = [&call](ListenerRole role) {
      call.listener_role = role;
      call.listener = "unix:/run/pat/pat.sock";
      call.peer = "unix:";
    };
    const auto with_certificate = [&call](absl::string_view dns_name) {
      call.certificate.emplace().dns_names.push_back(dns_name);
    };
    switch (question_.caller) {
      case Caller::kNone:
        break;
      case Caller::kUserSocket:
        over_socket(ListenerRole::kUser);
        break;
      case Caller::kUser:
      case Caller::kAdministrator:
        over_socket(ListenerRole::kUser);
        call.authorization = {password};
        break;
      case Caller::kWrongPassword:
        call.authorization = {wrong_password};
        break;
      case Caller::kDisabledUser:
        call.authorization = {disabled};
        break;
      case Caller::kPasswordInPlaintext:
        call.confidential = false;
        call.authorization = {password};
        break;
      case Caller::kPasswordTwice:
        call.authorization = {password, password};
        break;
      case Caller::kIntrospector:
        with_certificate("introspector");
        break;
      case Caller::kIntrospectorSocket:
        over_socket(ListenerRole::kIntrospector);
        break;
      case Caller::kIntrospectorNamingUser:
        with_certificate("introspector");
        call.portal_user = {kUser};
        break;
      case Caller::kIntrospectorWithPassword:
        with_certificate("introspector");
        call.authorization = {password};
        break;
      case Caller::kIntrospectorWithWrongPassword:
        with_certificate("introspector");
        call.authorization = {wrong_password};
        break;
      case Caller::kPortal:
      case Caller::kPortalForAdministrator:
        with_certificate("portal");
        call.portal_user = {Own()};
        break;
      case Caller::kPortalSocket:
        over_socket(ListenerRole::kPortal);
        call.portal_user = {Own()};
        break;
      case Caller::kPortalNamingNobody:
        with_certificate("portal");
        break;
      case Caller::kPortalNamingTwo:
        with_certificate("portal");
        call.portal_user = {kUser, kOther};
        break;
      case Caller::kPortalForListedAdministrator:
        with_certificate("portal-for-admin");
        call.portal_user = {Own()};
        break;
      case Caller::kPortalWithToken:
        with_certificate("portal");
        call.portal_user = {kOther};
        call.authorization = {token};
        break;
      case Caller::kToken:
      case Caller::kAdministratorsToken:
      case Caller::kRevokedToken:
        call.authorization = {token};
        break;
      case Caller::kTokenInPlaintext:
        call.confidential = false;
        call.authorization = {token};
        break;
      case Caller::kUserCertificate:
        with_certificate("user");
        break;
      case Caller::kUserCertificateWithPassword:
        with_certificate("user");
        call.authorization = {password};
        break;
      case Caller::kUserCertificateWithToken:
        with_certificate("user");
        call.authorization = {token};
        break;
      case Caller::kUserCertificateNamingUser:
        with_certificate("user");
        call.portal_user = {kUser};
        break;
      case Caller::kStranger:
        with_certificate("stranger");
        break;
      case Caller::kStrangerWithPassword:
      case Caller::kStrangerWithAdministratorsPassword:
        with_certificate("stranger");
        call.authorization = {password};
        break;
      case Caller::kStrangerWithToken:
        with_certificate("stranger");
        call.authorization = {token};
        break;
      case Caller::kStrangerNamingUser:
        with_certificate("stranger");
        call.portal_user = {kUser};
        break;
    }
    return authenticator_.Authenticate(call);
  }

  // ---- What it wants.

  std::string Token() const {
    switch (question_.subject) {
      case Subject::kOwn:
        return own_.name;
      case Subject::kSibling:
        return sibling_.name;
      case Subject::kAbsent:
        return TokenName(Own(), TokenUid{});
      case Subject::kAbsentOfOther:
        return TokenName(kOther, TokenUid{});
      case Subject::kOther:
      case Subject::kEverybody:
        break;
    }
    return others_.name;
  }

  std::string UserId(bool may_be_everybody = false) const {
    switch (question_.subject) {
      case Subject::kOwn:
      case Subject::kSibling:
        return Own();
      case Subject::kAbsent:
      case Subject::kAbsentOfOther:
        return kNobody;
      case Subject::kEverybody:
        if (may_be_everybody) return std::string(kEverybody);
        break;
      case Subject::kOther:
        break;
    }
    return kOther;
  }

  absl::Status Call(const Principal& principal) {
    const std::string method = question_.method.substr(question_.method.rfind('.') + 1);
    if (method.rfind("TokenService/", 0) == 0) return CallTokenService(principal, method);
    if (method.rfind("IntrospectionService/", 0) == 0) return absl::OkStatus();  // There are no rules behind the table.
    return CallAdministration(principal, method);
  }

  absl::Status CallTokenService(const Principal& principal, const std::string& method) {
    TokenLifecycle& tokens = authority_.tokens;
    if (method == "TokenService/CreateToken") {
      CreateTokenQuery query = authority_.GoodCreation(UserId());
      query.scopes = ScopesOf();
      return tokens.Create(principal, query).status();
    }
    if (method == "TokenService/GetToken") return tokens.Get(principal, Token()).status();
    if (method == "TokenService/ListTokens") {
      return tokens.List(principal, {.parent = UserName(UserId(/*may_be_everybody=*/true))}).status();
    }
    if (method == "TokenService/UpdateToken") {
      return tokens.Update(principal, {.name = Token(), .display_name = "new", .update_mask = {"display_name"}})
          .status();
    }
    if (method == "TokenService/RevokeToken") return tokens.Revoke(principal, {.name = Token()}).status();
    if (method == "TokenService/RegenerateToken") {
      RegenerateTokenQuery query{.name = Token()};
      if (question_.new_end) query.expiration = RequestedDuration{.seconds = 3600};
      return tokens.Regenerate(principal, query).status();
    }
    if (method == "TokenService/RevokeAllTokens") {
      return tokens.RevokeAll(principal, {.parent = UserName(UserId(/*may_be_everybody=*/true))}).status();
    }
    if (method == "TokenService/ReportLeakedToken") {
      return tokens.ReportLeaked(principal, question_.subject == Subject::kOther ? others_.secret : own_.secret);
    }
    if (method == "TokenService/ListScopes") return absl::OkStatus();
    return absl::UnimplementedError(method);
  }

  absl::Status CallAdministration(const Principal& principal, const std::string& method) {
    const std::string name = UserName(UserId());
    if (method == "UserService/CreateUser") {
      return users_.Create(principal, {.user_id = UserId(), .type = UserType::kLocal}).status();
    }
    if (method == "UserService/GetUser") return users_.Get(principal, name).status();
    if (method == "UserService/ListUsers") return users_.List(principal, {}).status();
    if (method == "UserService/UpdateUser") {
      return users_.Update(principal, {.name = name, .administrator = true, .update_mask = {"administrator"}}).status();
    }
    if (method == "UserService/DeleteUser") return users_.Delete(principal, {.name = name}).status();
    if (method == "UserService/SetPassword") {
      const std::string current = PasswordOf(UserId());
      return users_.SetPassword(principal, {.name = name, .password = "a new password", .current_password = current});
    }
    if (method == "PolicyService/GetPolicy") return policy_.Get(principal).status();
    if (method == "PolicyService/UpdatePolicy") {
      return policy_.Update(principal, {.tokens_disabled = true, .update_mask = {"tokens_disabled"}}).status();
    }
    if (method == "AuditService/ListAuditEvents") return authority_.audit.List(principal, {}).status();
    return absl::UnimplementedError(method);
  }

  const Question& question_;
  TestAuthority authority_;
  PasswordVerifier passwords_{authority_.store, authority_.clock, {.cost = kCheapCost}};
  UserLifecycle users_{authority_.store, *authority_.catalog, passwords_,
                       authority_.audit, *authority_.peppers, authority_.clock};
  PolicyRules policy_{authority_.store, *authority_.catalog, authority_.audit, authority_.clock};
  const IdentityTable identities_ =
      IdentityTable::Create({{.dns = "introspector", .role = "introspector"},
                             {.dns = "portal", .role = "portal"},
                             {.dns = "portal-for-admin", .role = "portal", .users = {kAdministrator}},
                             {.dns = "user", .role = "user"}})
          .value();
  Authenticator authenticator_{identities_, authority_.store, passwords_, authority_.facts};
  IssuedToken own_;
  IssuedToken sibling_;
  IssuedToken others_;
};

TEST(CallersTest, TenThousandRandomQuestionsAreAnsweredAsTheModelDoes) {
  const std::vector<std::string> methods = AllMethods();
  std::mt19937_64 random(kSeed);
  const auto pick = [&random](int of) { return static_cast<int>(random() % static_cast<uint64_t>(of)); };
  std::map<Answer, int> answers;
  std::optional<absl::Status> not_found;
  int disagreements = 0;
  for (int i = 0; i < kQuestions && disagreements < 20; ++i) {
    const Question question{.caller = static_cast<Caller>(pick(model::kCallers)),
                            .method = methods[pick(static_cast<int>(methods.size()))],
                            .subject = static_cast<Subject>(pick(model::kSubjects)),
                            .scopes = static_cast<Scopes>(pick(model::kScopes)),
                            .new_end = pick(2) == 1};
    const Answer expected = model::AnswerTo(question);
    ++answers[expected];
    World world(question);
    const uint64_t before = world.changes();
    const absl::Status status = world.Ask();
    if (status.code() != CodeOf(expected)) {
      ++disagreements;
      ADD_FAILURE() << "question " << i << " of seed " << kSeed << ": " << TextOf(question) << "\n  the model says "
                    << absl::StatusCodeToString(CodeOf(expected)) << ", the program " << status;
    }
    if (!status.ok()) {
      EXPECT_EQ(world.changes(), before) << TextOf(question) << ": was refused, and changed something";
    }
    // Somebody else's token and an absent one are told apart by nothing.
    if (status.code() == absl::StatusCode::kNotFound && question.caller != Caller::kAdministrator) {
      if (!not_found.has_value()) not_found = status;
      EXPECT_EQ(status, *not_found) << TextOf(question);
    }
  }
  EXPECT_EQ(disagreements, 0);
  // The questions are worth asking: each answer is there many times.
  for (const Answer answer : {Answer::kOk, Answer::kUnauthenticated, Answer::kPermissionDenied, Answer::kNotFound}) {
    EXPECT_GT(answers[answer], 100) << static_cast<int>(answer);
  }
  EXPECT_GT(answers[Answer::kAlreadyExists], 0);
  EXPECT_GT(answers[Answer::kInvalidArgument], 0);
}

}  // namespace
}  // namespace pat
