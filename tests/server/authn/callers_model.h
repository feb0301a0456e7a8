// A model of who may call what, written from the specification's table of callers and from nothing else. It includes no
// code of the product on purpose: the test next to it asks both the same 10,000 questions.
#ifndef PAT_TESTS_SERVER_AUTHN_CALLERS_MODEL_H_
#define PAT_TESTS_SERVER_AUTHN_CALLERS_MODEL_H_

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>

namespace pat::model {

// Who calls, and how it says so.
enum class Caller {
  kNone,                 // Over TCP, with nothing.
  kUserSocket,           // Over a Unix socket for users, with nothing.
  kUser,                 // By password.
  kWrongPassword,        //
  kDisabledUser,         // With the right password.
  kPasswordInPlaintext,  //
  kPasswordTwice,        // The header is there twice.
  kAdministrator,        //
  kIntrospector,         // By certificate.
  kIntrospectorSocket,   // By Unix socket.
  kIntrospectorNamingUser,
  kIntrospectorWithPassword,  // Of a user.
  kIntrospectorWithWrongPassword,
  kPortal,        // By certificate, for a user.
  kPortalSocket,  // By Unix socket, for a user.
  kPortalNamingNobody,
  kPortalNamingTwo,
  kPortalForAdministrator,        // Whom its entry does not list.
  kPortalForListedAdministrator,  //
  kPortalWithToken,               // Of a user, and names another one.
  kToken,
  kAdministratorsToken,
  kRevokedToken,
  kTokenInPlaintext,
  kUserCertificate,  // Alone.
  kUserCertificateWithPassword,
  kUserCertificateWithToken,
  kUserCertificateNamingUser,
  kStranger,  // A certificate that has no role.
  kStrangerWithPassword,
  kStrangerWithAdministratorsPassword,
  kStrangerWithToken,
  kStrangerNamingUser,
};
inline constexpr int kCallers = static_cast<int>(Caller::kStrangerNamingUser) + 1;

inline constexpr std::array<const char*, kCallers> kCallerNames = {
    "nobody",
    "nobody over a socket for users",
    "a user",
    "a user with a wrong password",
    "a disabled user",
    "a user in plaintext",
    "a user with the password twice",
    "an administrator",
    "an introspector",
    "an introspector over its socket",
    "an introspector with x-pat-user",
    "an introspector with a user's password",
    "an introspector with a wrong password",
    "a portal",
    "a portal over its socket",
    "a portal without x-pat-user",
    "a portal with x-pat-user twice",
    "a portal for an administrator",
    "a portal for an administrator whom it lists",
    "a portal with a user's token",
    "a token",
    "an administrator's token",
    "a revoked token",
    "a token in plaintext",
    "a user's certificate",
    "a user's certificate with the password",
    "a user's certificate with a token",
    "a user's certificate with x-pat-user",
    "a stranger's certificate",
    "a stranger's certificate with a user's password",
    "a stranger's certificate with an administrator's password",
    "a stranger's certificate with a token",
    "a stranger's certificate with x-pat-user",
};

// On whose thing. For methods about a token: the token. For those about a user: the user.
enum class Subject {
  kOwn,            // The caller's; for a token: itself.
  kSibling,        // Another token of the same owner.
  kOther,          // Another user's.
  kAbsent,         // A token that does not exist, under the caller's name. A user who does not exist.
  kAbsentOfOther,  // A token that does not exist, under another user's name. A user who does not exist.
  kEverybody,      // "users/-", where a method knows that; else as kOther.
};
inline constexpr int kSubjects = static_cast<int>(Subject::kEverybody) + 1;
inline constexpr std::array<const char*, kSubjects> kSubjectNames = {
    "its own", "its sibling", "another's", "an absent one", "an absent one of another", "everybody's"};

// What the scopes of the token are that calls, or is made.
enum class Scopes { kOther, kSelfRegenerate, kSelfRegenerateNotGranted };
inline constexpr int kScopes = static_cast<int>(Scopes::kSelfRegenerateNotGranted) + 1;
inline constexpr std::array<const char*, kScopes> kScopesNames = {
    "OR.Folders", "OR.Folders and PAT.SelfRegenerate", "OR.Folders and PAT.SelfRegenerate, which its owner has not"};

struct Question {
  Caller caller = Caller::kNone;
  std::string method;  // "/pat.v1.TokenService/GetToken"
  Subject subject = Subject::kOwn;
  Scopes scopes = Scopes::kOther;
  bool new_end = false;  // Regenerate: with a new expiry.
};

enum class Answer {
  kOk,
  kUnauthenticated,
  kPermissionDenied,
  kNotFound,
  kAlreadyExists,    // A user of that name is there.
  kInvalidArgument,  // A token asks for another end of itself.
};

// Who the caller turns out to be.
enum class Who { kUnauthenticated, kDenied, kUser, kAdministrator, kIntrospector, kPortal, kToken };

inline Who WhoIs(Caller caller) {
  switch (caller) {
    case Caller::kUser:
    case Caller::kIntrospectorWithPassword:     // authorization, if present, is the only credential judged
    case Caller::kUserCertificateWithPassword:  // role `user`: the right to present Basic or Bearer
      return Who::kUser;
    case Caller::kAdministrator:
      return Who::kAdministrator;
    case Caller::kIntrospector:
    case Caller::kIntrospectorSocket:
      return Who::kIntrospector;
    case Caller::kPortal:
    case Caller::kPortalSocket:
    case Caller::kPortalForListedAdministrator:
      return Who::kPortal;
    case Caller::kToken:
    case Caller::kAdministratorsToken:
    case Caller::kPortalWithToken:
    case Caller::kUserCertificateWithToken:
      return Who::kToken;
    case Caller::kIntrospectorNamingUser:     // x-pat-user from another role
    case Caller::kUserCertificateNamingUser:  //
    case Caller::kPortalNamingTwo:            // the header twice
    case Caller::kPortalForAdministrator:     // never for an administrator, unless its entry lists that one
      return Who::kDenied;
    case Caller::kNone:
    case Caller::kUserSocket:
    case Caller::kWrongPassword:
    case Caller::kDisabledUser:
    case Caller::kPasswordInPlaintext:  // Basic over TLS, Unix socket or `patd dev`
    case Caller::kPasswordTwice:
    case Caller::kIntrospectorWithWrongPassword:
    case Caller::kPortalNamingNobody:  // a portal without x-pat-user
    case Caller::kRevokedToken:
    case Caller::kTokenInPlaintext:
    case Caller::kUserCertificate:
    case Caller::kStranger:  // a certificate without a role, whatever else it carries
    case Caller::kStrangerWithPassword:
    case Caller::kStrangerWithAdministratorsPassword:
    case Caller::kStrangerWithToken:
    case Caller::kStrangerNamingUser:
      return Who::kUnauthenticated;
  }
  return Who::kUnauthenticated;
}

inline bool IsOneOf(const std::string& method, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (method == name) return true;
  }
  return false;
}

// A bearer PAT: Get and Revoke of itself; Regenerate of itself only if it holds PAT.SelfRegenerate, and without a new
// expiry; ReportLeakedToken. Never a token service for others.
inline Answer OfToken(const Question& question, const std::string& method) {
  if (!IsOneOf(method, {"GetToken", "RevokeToken", "RegenerateToken"})) return Answer::kPermissionDenied;
  if (question.subject != Subject::kOwn) return Answer::kNotFound;
  if (method != "RegenerateToken") return Answer::kOk;
  if (question.scopes != Scopes::kSelfRegenerate) return Answer::kPermissionDenied;
  return question.new_end ? Answer::kInvalidArgument : Answer::kOk;
}

inline Answer OfTokenService(const Question& question, const std::string& method, Who who) {
  if (IsOneOf(method, {"ListScopes", "ReportLeakedToken"})) return Answer::kOk;  // any authenticated caller
  if (who == Who::kIntrospector) return Answer::kPermissionDenied;
  if (who == Who::kToken) return OfToken(question, method);

  const bool administrator = who == Who::kAdministrator;
  if (IsOneOf(method, {"CreateToken", "ListTokens", "RevokeAllTokens"})) {
    if (question.subject == Subject::kOwn || question.subject == Subject::kSibling) return Answer::kOk;
    // Under somebody else's name: the same whether or not that user exists.
    if (!administrator || method == "CreateToken") return Answer::kPermissionDenied;
    if (question.subject == Subject::kOther || question.subject == Subject::kEverybody) return Answer::kOk;
    return Answer::kNotFound;
  }
  if (!IsOneOf(method, {"GetToken", "RevokeToken", "UpdateToken", "RegenerateToken"})) return Answer::kPermissionDenied;
  switch (question.subject) {
    case Subject::kOwn:
    case Subject::kSibling:
      return Answer::kOk;
    case Subject::kAbsent:
      return Answer::kNotFound;
    case Subject::kOther:
    case Subject::kEverybody:
    case Subject::kAbsentOfOther:
      break;
  }
  if (!administrator) return Answer::kNotFound;  // somebody else's and an absent one: the same
  if (IsOneOf(method, {"UpdateToken", "RegenerateToken"})) return Answer::kPermissionDenied;
  return question.subject == Subject::kAbsentOfOther ? Answer::kNotFound : Answer::kOk;
}

inline Answer OfAdministration(const Question& question, const std::string& method, Who who) {
  const bool absent = question.subject == Subject::kAbsent || question.subject == Subject::kAbsentOfOther;
  const bool own = question.subject == Subject::kOwn || question.subject == Subject::kSibling;
  if (who == Who::kUser && method == "SetPassword" && own) return Answer::kOk;  // with current_password
  if (who != Who::kAdministrator) return Answer::kPermissionDenied;
  if (method == "CreateUser") return absent ? Answer::kOk : Answer::kAlreadyExists;
  if (IsOneOf(method, {"GetUser", "UpdateUser", "DeleteUser", "SetPassword"}) && absent) return Answer::kNotFound;
  return Answer::kOk;
}

inline Answer AnswerTo(const Question& question) {
  const size_t dot = question.method.rfind('.');
  const size_t slash = question.method.rfind('/');
  const std::string service = question.method.substr(dot + 1, slash - dot - 1);
  const std::string method = question.method.substr(slash + 1);
  if (service == "Health" || service == "ServerReflection") return Answer::kOk;  // beyond the listener's: none

  const Who who = WhoIs(question.caller);
  if (who == Who::kUnauthenticated) return Answer::kUnauthenticated;
  if (who == Who::kDenied) return Answer::kPermissionDenied;
  if (service == "TokenService") return OfTokenService(question, method, who);
  if (service == "UserService" || service == "PolicyService" || service == "AuditService") {
    return OfAdministration(question, method, who);
  }
  if (service == "IntrospectionService") {
    if (who == Who::kIntrospector) return Answer::kOk;
    if (who == Who::kAdministrator && method != "ReportUse") return Answer::kOk;  // for debugging
  }
  return Answer::kPermissionDenied;  // default deny
}

}  // namespace pat::model

#endif  // PAT_TESTS_SERVER_AUTHN_CALLERS_MODEL_H_
