// What an introspection answers to tokens that are no good and to questions that are no questions, and in which order
// it judges. Through gRPC: statuses, details and bytes are what a client gets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/token_secret.h"
#include "server/crypto/bytes.h"
#include "tests/e2e/dev_server.h"
#include "tests/support/plain_secret.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using v1::Freshness;
using v1::IntrospectResponse;

constexpr char kIntrospect[] = "/pat.v1.IntrospectionService/Introspect";
constexpr char kBatchIntrospect[] = "/pat.v1.IntrospectionService/BatchIntrospect";

// `active` false and VERDICT_INACTIVE, and not a byte more.
const std::string kInactiveBytes("\x08\x00\x58\x02", 4);

std::string UnknownSecret() { return NewPlainSecret(); }
std::string DigestBytes(const std::string& secret) { return std::string(AsText(DigestOf(secret).bytes)); }

v1::IntrospectRequest DigestQuestionFor(const std::string& secret) {
  v1::IntrospectRequest question;
  question.set_token_sha256(DigestBytes(secret));
  return question;
}

void Require(v1::IntrospectRequest& question, const std::vector<std::string>& any_of) {
  v1::Requirement& requirement = *question.add_requirements();
  for (const std::string& scope : any_of) requirement.add_any_of(scope);
}

class BadIntrospectionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<DevServer>(WithTtl(absl::Minutes(1))); }
  static void TearDownTestSuite() { server_ = nullptr; }

  static Client& client() { return server_->client(); }

  static Answer<IntrospectResponse> Ask(const v1::IntrospectRequest& question, const Headers& headers = Nobody()) {
    return client().Call(&IntrospectionStub::Introspect, headers, question);
  }
  static Answer<v1::BatchIntrospectResponse> AskAll(const v1::BatchIntrospectRequest& questions,
                                                    const Headers& headers = Nobody()) {
    return client().Call(&IntrospectionStub::BatchIntrospect, headers, questions);
  }

  // A token of ada's with a name that no other test uses.
  static MadeToken Make(const std::function<void(v1::CreateTokenRequest&)>& change = [](auto&) {}) {
    static int made = 0;
    v1::CreateTokenRequest request = CreationFor("ada", absl::StrCat("token ", ++made));
    change(request);
    return client().Create(request);
  }

  static std::unique_ptr<DevServer> server_;
};

std::unique_ptr<DevServer> BadIntrospectionTest::server_;

TEST_F(BadIntrospectionTest, QuestionWithoutATokenIsRefused) {
  const grpc::Status missing = Ask(v1::IntrospectRequest()).status;
  EXPECT_THAT(missing, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(ViolatedFields(missing), ElementsAre("token"));

  const grpc::Status empty = Ask(QuestionFor("")).status;
  EXPECT_THAT(empty, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(ViolatedFields(empty), ElementsAre("token"));

  for (const size_t size : {0, 1, 31, 33, 64}) {
    v1::IntrospectRequest question;
    question.set_token_sha256(std::string(size, 'd'));
    const grpc::Status refused = Ask(question).status;
    EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST")) << size;
    EXPECT_THAT(ViolatedFields(refused), ElementsAre("token_sha256"));
  }
}

TEST_F(BadIntrospectionTest, TokenOverTheLimitIsRefusedAndItsTextIsNotRepeated) {
  EXPECT_EQ(Ask(QuestionFor(std::string(1024, 'x'))).value().freshness().source(), Freshness::SOURCE_FORMAT);
  for (const size_t size : {1025, 60'000}) {
    const grpc::Status refused = Ask(QuestionFor(std::string(size, 'x'))).status;
    EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
    EXPECT_THAT(ViolatedFields(refused), ElementsAre("token"));
    EXPECT_EQ(refused.error_details().find("xxx"), std::string::npos);
  }
}

// All reasons for which a token is inactive look alike.
TEST_F(BadIntrospectionTest, InactiveAnswersAreTheSameBytesWhateverTheReason) {
  const MadeToken good = Make();
  const MadeToken revoked = Make();
  client().Revoke(revoked.token);
  const MadeToken regenerated = Make();
  client().Regenerate(regenerated.token);
  const MadeToken expired = Make([](auto& request) { request.mutable_ttl()->set_seconds(1); });
  server_->time.Advance(absl::Seconds(1));

  std::string wrong_crc = good.secret;
  wrong_crc.back() = wrong_crc.back() == 'a' ? 'b' : 'a';
  std::string with_nul = good.secret;
  with_nul[20] = '\0';
  struct Case {
    const char* what;
    std::string token;
    Freshness::Source source;
  };
  const std::vector<Case> cases = {
      {"64 printable characters", R"(#k>Y{b0[2D]}:q^Wz"7&x(M'!uP=f~5+T%;J_c,N<4o|G$1@vR/9h*E?8s-L6ia.)",
       Freshness::SOURCE_FORMAT},
      {"wrong check sum", wrong_crc, Freshness::SOURCE_FORMAT},
      {"wrong prefix", "pat-" + good.secret.substr(4), Freshness::SOURCE_FORMAT},
      {"capital prefix", "PAT_" + good.secret.substr(4), Freshness::SOURCE_FORMAT},
      {"NUL inside", with_nul, Freshness::SOURCE_FORMAT},
      {"NUL behind", good.secret + std::string(1, '\0'), Freshness::SOURCE_FORMAT},
      {"space behind", good.secret + " ", Freshness::SOURCE_FORMAT},
      {"space in front", " " + good.secret, Freshness::SOURCE_FORMAT},
      {"newline behind", good.secret + "\n", Freshness::SOURCE_FORMAT},
      {"cut short", good.secret.substr(0, 52), Freshness::SOURCE_FORMAT},
      {"one character", "p", Freshness::SOURCE_FORMAT},
      {"1024 bytes", std::string(1024, 'p'), Freshness::SOURCE_FORMAT},
      {"unknown", UnknownSecret(), Freshness::SOURCE_STORE},
      {"revoked", revoked.secret, Freshness::SOURCE_STORE},
      {"expired", expired.secret, Freshness::SOURCE_STORE},
      {"replaced by another secret", regenerated.secret, Freshness::SOURCE_STORE},
  };
  for (const Case& asked : cases) {
    SCOPED_TRACE(asked.what);
    v1::IntrospectRequest question = QuestionFor(asked.token);
    const auto answer_of = [&] {
      const RawAnswer raw = client().CallRaw(kIntrospect, Nobody(), question.SerializeAsString());
      EXPECT_TRUE(raw.status.ok()) << raw.status.error_message();
      EXPECT_THAT(raw.status.error_details(), IsEmpty());
      IntrospectResponse answer;
      EXPECT_TRUE(answer.ParseFromString(raw.bytes));
      return answer;
    };
    const IntrospectResponse first = answer_of();
    EXPECT_EQ(WithoutFreshness(first), kInactiveBytes);
    EXPECT_EQ(first.freshness().source(), asked.source);
    EXPECT_EQ(ToTime(first.freshness().read_time()), server_->time.wall());
    if (asked.source == Freshness::SOURCE_FORMAT) {
      EXPECT_EQ(ToTime(first.freshness().fresh_until()), server_->time.wall());
      EXPECT_EQ(ToAbslDuration(first.freshness().fresh_for()), absl::ZeroDuration());
    }
    // What else is asked makes no difference.
    question.set_audience("somewhere");
    Require(question, {"OR.Folders"});
    Require(question, {"No.Such.Scope"});
    EXPECT_EQ(WithoutFreshness(answer_of()), kInactiveBytes);
  }
  EXPECT_TRUE(client().Introspect(good.secret).active());
}

TEST_F(BadIntrospectionTest, ArgumentsAreJudgedBeforeTheToken) {
  const auto fields_of = [](const std::function<void(v1::IntrospectRequest&)>& change) {
    v1::IntrospectRequest question = QuestionFor("malformed token");
    change(question);
    const grpc::Status refused = Ask(question).status;
    EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
    return ViolatedFields(refused);
  };
  EXPECT_THAT(fields_of([](auto& question) {
                Require(question, {"OR.Folders"});
                Require(question, {});
              }),
              ElementsAre("requirements[1].any_of"));
  EXPECT_THAT(fields_of([](auto& question) { Require(question, std::vector<std::string>(33, "OR.Folders")); }),
              ElementsAre("requirements[0].any_of"));
  EXPECT_THAT(fields_of([](auto& question) {
                for (int i = 0; i < 17; ++i) Require(question, {"OR.Folders"});
              }),
              ElementsAre("requirements"));
  EXPECT_THAT(fields_of([](auto& question) { question.mutable_max_staleness()->set_nanos(-1); }),
              ElementsAre("max_staleness"));
  EXPECT_THAT(fields_of([](auto& question) {
                question.set_token("");
                Require(question, {});
                question.mutable_max_staleness()->set_seconds(-5);
              }),
              ElementsAre("token", "requirements[0].any_of", "max_staleness"));

  // The largest that are allowed.
  v1::IntrospectRequest question = QuestionFor(Make().secret);
  for (int i = 0; i < 16; ++i) Require(question, std::vector<std::string>(32, "OR.Folders.Read"));
  EXPECT_EQ(Ask(question).value().verdict(), IntrospectResponse::VERDICT_ALLOW);
}

TEST_F(BadIntrospectionTest, VerdictsComeInTheirOrder) {
  const MadeToken made = Make([](auto& request) {
    request.add_audiences("billing");
    request.add_audiences("reports");
  });
  v1::IntrospectRequest question = QuestionFor(made.secret);
  Require(question, {"TM.Defects", "OR.Folders.Read"});
  Require(question, {"TM.Defects"});
  Require(question, {"OR.Folders.Write"});
  Require(question, {"No.Such.Scope", ""});

  for (const char* audience : {"", "bill", "billing ", "shop"}) {
    question.set_audience(audience);
    const IntrospectResponse answer = Ask(question).value();
    EXPECT_EQ(answer.verdict(), IntrospectResponse::VERDICT_WRONG_AUDIENCE) << audience;
    EXPECT_THAT(answer.unmet_requirements(), IsEmpty());
    // Active is not permission: the facts are there all the same.
    EXPECT_TRUE(answer.active());
    EXPECT_EQ(answer.jti(), made.token.uid());
    EXPECT_THAT(answer.aud(), ElementsAre("billing", "reports"));
  }
  question.set_audience("reports");
  const IntrospectResponse insufficient = Ask(question).value();
  EXPECT_EQ(insufficient.verdict(), IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
  EXPECT_THAT(insufficient.unmet_requirements(), ElementsAre(1, 3));
  EXPECT_TRUE(insufficient.active());
  EXPECT_THAT(insufficient.scopes(), ElementsAre("OR.Folders", "OR.Folders.Read", "OR.Folders.Write"));
  EXPECT_EQ(insufficient.sub(), "users/ada");
  EXPECT_EQ(insufficient.username(), "ada");
  EXPECT_EQ(insufficient.iss(), "pat-sidecar");
  EXPECT_EQ(insufficient.token_type(), "pat");
  EXPECT_EQ(insufficient.iat(), made.token.create_time().seconds());
  EXPECT_EQ(insufficient.exp(), made.token.expire_time().seconds());

  question.mutable_requirements()->DeleteSubrange(3, 1);
  question.mutable_requirements()->DeleteSubrange(1, 1);
  EXPECT_EQ(Ask(question).value().verdict(), IntrospectResponse::VERDICT_ALLOW);

  client().Revoke(made.token);
  Set(absl::ZeroDuration(), *question.mutable_max_staleness());
  question.set_audience("shop");
  EXPECT_EQ(WithoutFreshness(Ask(question).value()), kInactiveBytes);
}

// A token never does more than its owner may: bob's grants are few.
TEST_F(BadIntrospectionTest, OwnersGrantsLimitTheScopes) {
  v1::CreateTokenRequest request = CreationFor("bob", "much wanted");
  request.add_scopes("TM.Defects");
  request.add_scopes("TM.Requirements");
  const MadeToken made = client().Create(request);
  EXPECT_THAT(client().Introspect(made.secret).scopes(),
              ElementsAre("OR.Folders.Read", "TM.Defects", "TM.Defects.Read", "TM.Defects.Write"));
}

TEST_F(BadIntrospectionTest, AnswerToOneQuestionDoesNotLeakIntoAnother) {
  const MadeToken made = Make([](auto& request) { request.add_audiences("billing"); });
  v1::IntrospectRequest allowed = QuestionFor(made.secret);
  allowed.set_audience("billing");
  Require(allowed, {"OR.Folders.Read"});
  v1::IntrospectRequest wrong_audience = allowed;
  wrong_audience.set_audience("shop");
  v1::IntrospectRequest wrong_scope = allowed;
  Require(wrong_scope, {"TM.Defects"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Ask(allowed).value().verdict(), IntrospectResponse::VERDICT_ALLOW);
    EXPECT_EQ(Ask(wrong_audience).value().verdict(), IntrospectResponse::VERDICT_WRONG_AUDIENCE);
    EXPECT_EQ(Ask(wrong_scope).value().verdict(), IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
  }
}

TEST_F(BadIntrospectionTest, DigestsAreTakenFromTheDevListenerAndNotFromAdministrators) {
  const MadeToken made = Make();
  const v1::IntrospectRequest question = DigestQuestionFor(made.secret);
  EXPECT_EQ(WithoutFreshness(Ask(question).value()), WithoutFreshness(client().Introspect(made.secret)));
  EXPECT_EQ(WithoutFreshness(Ask(DigestQuestionFor(UnknownSecret())).value()), kInactiveBytes);

  EXPECT_THAT(Ask(question, Person("admin")).status, IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  EXPECT_TRUE(Ask(QuestionFor(made.secret), Person("admin")).value().active());

  v1::BatchIntrospectRequest batch;
  *batch.add_requests() = QuestionFor(made.secret);
  *batch.add_requests() = question;
  EXPECT_THAT(AskAll(batch, Person("admin")).status, IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  const v1::BatchIntrospectResponse answers = AskAll(batch).value();
  EXPECT_EQ(WithoutFreshness(answers.responses(0)), WithoutFreshness(answers.responses(1)));
}

TEST_F(BadIntrospectionTest, BatchAnswersInOrderDuplicatesToo) {
  const MadeToken first = Make();
  const MadeToken second = Make();
  const MadeToken revoked = Make();
  client().Revoke(revoked.token);
  v1::BatchIntrospectRequest batch;
  for (const std::string& token : {second.secret, UnknownSecret(), first.secret, std::string("malformed"),
                                   second.secret, revoked.secret, first.secret}) {
    *batch.add_requests() = QuestionFor(token);
  }
  Require(*batch.mutable_requests(4), {"TM.Defects"});
  batch.mutable_requests(6)->set_audience("anywhere");
  const v1::BatchIntrospectResponse answers = AskAll(batch).value();
  std::vector<std::string> uids;
  for (const IntrospectResponse& answer : answers.responses()) {
    uids.push_back(answer.jti());
    if (!answer.active()) {
      EXPECT_EQ(WithoutFreshness(answer), kInactiveBytes);
    }
  }
  const std::string one = first.token.uid();
  const std::string two = second.token.uid();
  EXPECT_THAT(uids, ElementsAre(two, "", one, "", two, "", one));
  EXPECT_EQ(answers.responses(0).verdict(), IntrospectResponse::VERDICT_ALLOW);
  EXPECT_EQ(answers.responses(3).freshness().source(), Freshness::SOURCE_FORMAT);
  EXPECT_EQ(answers.responses(4).verdict(), IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
  EXPECT_EQ(answers.responses(6).verdict(), IntrospectResponse::VERDICT_ALLOW);
}

TEST_F(BadIntrospectionTest, BatchTakesAThousand) {
  const MadeToken made = Make();
  v1::BatchIntrospectRequest batch;
  for (int i = 0; i < 1000; ++i) *batch.add_requests() = QuestionFor(i % 10 == 3 ? UnknownSecret() : made.secret);
  const v1::BatchIntrospectResponse answers = AskAll(batch).value();
  ASSERT_EQ(answers.responses_size(), 1000);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(answers.responses(i).active(), i % 10 != 3) << i;

  *batch.add_requests() = QuestionFor(made.secret);
  const grpc::Status refused = AskAll(batch).status;
  EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(ViolatedFields(refused), ElementsAre("requests"));
}

TEST_F(BadIntrospectionTest, BatchOfNothingIsAnsweredWithNothing) {
  const RawAnswer raw = client().CallRaw(kBatchIntrospect, Nobody(), "");
  EXPECT_TRUE(raw.status.ok());
  EXPECT_THAT(raw.bytes, IsEmpty());
}

TEST_F(BadIntrospectionTest, OneMalformedItemRefusesTheBatchAndIsNamed) {
  const MadeToken made = Make();
  v1::BatchIntrospectRequest batch;
  for (int i = 0; i < 10; ++i) *batch.add_requests() = QuestionFor(made.secret);
  batch.mutable_requests(7)->set_token("");
  grpc::Status refused = AskAll(batch).status;
  EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(ViolatedFields(refused), ElementsAre("requests[7].token"));

  batch.mutable_requests(2)->clear_token();
  Require(*batch.mutable_requests(9), {"OR.Folders"});
  Require(*batch.mutable_requests(9), {});
  refused = AskAll(batch).status;
  EXPECT_THAT(ViolatedFields(refused),
              ElementsAre("requests[2].token", "requests[7].token", "requests[9].requirements[1].any_of"));
}

TEST_F(BadIntrospectionTest, ManyViolationsAreCutAndCounted) {
  v1::BatchIntrospectRequest batch;
  for (int i = 0; i < 1000; ++i) batch.add_requests();
  const grpc::Status refused = AskAll(batch).status;
  const Refusal refusal = RefusalOf(refused);
  ASSERT_EQ(refusal.violations.size(), 21u);
  EXPECT_EQ(refusal.violations[0].first, "requests[0].token");
  EXPECT_THAT(refusal.violations[20].second, testing::HasSubstr("980 more"));
  EXPECT_LE(refused.error_details().size(), 4096u);
}

}  // namespace
}  // namespace pat
