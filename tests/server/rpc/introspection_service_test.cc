// Introspection over gRPC: who may, in which order things are judged, and what comes back. Many calls at a time are in
// introspection_load_test.cc.
#include "server/rpc/introspection_service.h"

#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/token_secret.h"
#include "server/crypto/bytes.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/introspection_server.h"
#include "tests/server/rpc/status_details.h"
#include "tests/support/controlled_facts_reader.h"
#include "tests/support/manual_executor.h"
#include "tests/support/plain_secret.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kIntrospect[] = "/pat.v1.IntrospectionService/Introspect";
constexpr char kBatchIntrospect[] = "/pat.v1.IntrospectionService/BatchIntrospect";

class IntrospectionServiceTest : public testing::Test {
 protected:
  explicit IntrospectionServiceTest(ListenerRole role = ListenerRole::kDev)
      : server_(authority_, facts_, executor_, role, {.issuer = "the issuer"}) {
    for (const char* id : {"ada", "admin"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, "password");
    }
    authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
    token_ = authority_.Issue("ada");
  }

  grpc::Status Introspect(const v1::IntrospectRequest& request, const Metadata& metadata = {}) {
    return server_.Introspect(request, response_, metadata);
  }
  grpc::Status Batch(const std::vector<v1::IntrospectRequest>& requests, const Metadata& metadata = {}) {
    v1::BatchIntrospectRequest batch;
    for (const v1::IntrospectRequest& request : requests) *batch.add_requests() = request;
    return server_.BatchIntrospect(batch, responses_, metadata);
  }
  static v1::IntrospectRequest DigestRequest(const IssuedToken& token) {
    v1::IntrospectRequest request;
    request.set_token_sha256(std::string(AsText(token.digest.bytes)));
    return request;
  }

  // A call whose message is whatever these bytes are.
  grpc::Status CallRaw(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(server_.channel());
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }

  // "1 user:admin pat.v1.IntrospectionService/Introspect users/ada/tokens/…", of each row, with its count.
  std::vector<std::string> AuditLines() {
    EXPECT_TRUE(server_.audit().Flush(/*all=*/true).ok());
    std::vector<std::string> lines;
    const absl::StatusOr<AuditPage> page = authority_.engine->ListAudit({.limit = 1000});
    for (const AuditRecord& row : page.value().rows) {
      EXPECT_EQ(row.outcome, "OK");
      lines.push_back(absl::StrCat(row.count, " ", row.principal, " ", row.method, " ", row.target));
    }
    return lines;
  }

  TestAuthority authority_;
  ControlledFactsReader facts_{authority_.facts};
  ThreadPool executor_{1, 16};
  IntrospectionServer server_;
  IssuedToken token_;
  v1::IntrospectResponse response_;
  v1::BatchIntrospectResponse responses_;
};

class PlainListenerTest : public IntrospectionServiceTest {
 protected:
  PlainListenerTest() : IntrospectionServiceTest(ListenerRole::kNone) {}
};
class UnixListenerTest : public IntrospectionServiceTest {
 protected:
  UnixListenerTest() : IntrospectionServiceTest(ListenerRole::kIntrospector) {}
};

// ---- Who may.

TEST_F(PlainListenerTest, WithoutACredentialNothingIsRead) {
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret))), "UNAUTHENTICATED CREDENTIALS_MISSING");
  EXPECT_EQ(Outcome(Batch({RequestFor(token_.secret)})), "UNAUTHENTICATED CREDENTIALS_MISSING");
  EXPECT_EQ(facts_.finds(), 0);
}

TEST_F(PlainListenerTest, AnAdministratorMayAndAUserMayNot) {
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret), {{"authorization", Basic("admin", "password")}})), "OK");
  EXPECT_TRUE(response_.active());
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret), {{"authorization", Basic("ada", "password")}})),
            "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret), {{"authorization", Basic("admin", "wrong")}})),
            "UNAUTHENTICATED CREDENTIALS_INVALID");
  EXPECT_EQ(facts_.finds(), 1);
}

TEST_F(PlainListenerTest, HeadersThatComeTwiceAreSeen) {
  const std::string good = Basic("admin", "password");
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret), {{"authorization", good}, {"authorization", good}})),
            "UNAUTHENTICATED CREDENTIALS_INVALID");
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret), {{"x-pat-user", "ada"}, {"x-pat-user", "ada"}})),
            "PERMISSION_DENIED ROLE_REQUIRED");
}

TEST_F(IntrospectionServiceTest, APortalMayNot) {
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret), {{"x-pat-user", "ada"}})), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Batch({}, {{"x-pat-user", "ada"}})), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(facts_.finds(), 0);
}

TEST_F(IntrospectionServiceTest, ATokenNeverAuthorisesItsOwnIntrospection) {
  EXPECT_FALSE(Introspect(RequestFor(token_.secret), {{"authorization", "Bearer " + token_.secret}}).ok());
  EXPECT_EQ(facts_.finds(), 0);
}

TEST_F(IntrospectionServiceTest, ADigestIsTakenFromWhoMaySendOne) {
  EXPECT_EQ(Outcome(Introspect(DigestRequest(token_))), "OK");
  EXPECT_EQ(response_.verdict(), v1::IntrospectResponse::VERDICT_ALLOW);
}

TEST_F(UnixListenerTest, ADigestIsRefusedFromOthers) {
  EXPECT_EQ(Outcome(Introspect(RequestFor(token_.secret))), "OK");
  EXPECT_EQ(Outcome(Introspect(DigestRequest(token_))), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Batch({RequestFor(token_.secret), DigestRequest(token_)})), "PERMISSION_DENIED ROLE_REQUIRED");
  // Whatever else is wrong: whoever may not ask so is not told.
  v1::IntrospectRequest wrong;
  wrong.set_token_sha256("short");
  wrong.add_requirements();
  EXPECT_EQ(Outcome(Introspect(wrong)), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Batch({RequestFor(""), wrong})), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(facts_.finds(), 1);
}

TEST_F(PlainListenerTest, ADigestIsRefusedFromAnAdministratorToo) {
  EXPECT_EQ(Outcome(Introspect(DigestRequest(token_), {{"authorization", Basic("admin", "password")}})),
            "PERMISSION_DENIED ROLE_REQUIRED");
}

// ---- What is written down of it.

TEST_F(PlainListenerTest, AnAdministratorsIntrospectionIsAuditedOnceACall) {
  const Metadata admin = {{"authorization", Basic("admin", "password")}};
  const size_t before = AuditLines().size();
  ASSERT_EQ(Outcome(Introspect(RequestFor(token_.secret), admin)), "OK");
  ASSERT_EQ(Outcome(Batch({RequestFor(token_.secret), RequestFor(NewPlainSecret())}, admin)), "OK");
  std::vector<std::string> lines = AuditLines();
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_THAT(lines,
              UnorderedElementsAre(absl::StrCat("1 user:admin pat.v1.IntrospectionService/Introspect ", token_.name),
                                   "1 user:admin pat.v1.IntrospectionService/BatchIntrospect "));

  ASSERT_EQ(Outcome(Introspect(RequestFor(NewPlainSecret()), admin)), "OK");
  EXPECT_EQ(AuditLines().back(), "1 user:admin pat.v1.IntrospectionService/Introspect ");
}

// Services ask a hundred thousand times a second; and who is refused here has learned nothing.
TEST_F(IntrospectionServiceTest, NoOthersIntrospectionIs) {
  const size_t before = AuditLines().size();
  ASSERT_EQ(Outcome(Introspect(RequestFor(token_.secret))), "OK");
  ASSERT_EQ(Outcome(Batch({RequestFor(token_.secret)})), "OK");
  EXPECT_FALSE(Introspect(RequestFor(token_.secret), {{"x-pat-user", "ada"}}).ok());
  EXPECT_FALSE(Introspect(RequestFor(token_.secret), {{"authorization", Basic("ada", "password")}}).ok());
  EXPECT_FALSE(Introspect(RequestFor(""), {{"authorization", Basic("admin", "password")}}).ok());
  EXPECT_EQ(AuditLines().size(), before);
  EXPECT_EQ(server_.audit().refused_nobody(), 0);
}

// ---- In which order.

TEST_F(PlainListenerTest, WhoIsCallingComesBeforeWhatIsWrong) {
  EXPECT_EQ(Outcome(Introspect({})), "UNAUTHENTICATED CREDENTIALS_MISSING");
  EXPECT_EQ(Outcome(CallRaw(kIntrospect, "\x0a\xff")), "UNAUTHENTICATED CREDENTIALS_MISSING");
  EXPECT_EQ(Outcome(Introspect({}, {{"authorization", Basic("ada", "password")}})), "PERMISSION_DENIED ROLE_REQUIRED");
}

TEST_F(IntrospectionServiceTest, WhatIsWrongComesBeforeTheToken) {
  v1::IntrospectRequest request = RequestFor("no token at all");
  request.add_requirements()->add_any_of("a");
  request.add_requirements();
  request.mutable_max_staleness()->set_seconds(-1);
  const grpc::Status status = Introspect(request);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(status), ElementsAre("requirements[1].any_of", "max_staleness"));

  EXPECT_THAT(FieldsOf(Introspect({})), ElementsAre("token"));
  EXPECT_THAT(FieldsOf(Introspect(RequestFor(""))), ElementsAre("token"));
  EXPECT_THAT(FieldsOf(Introspect(RequestFor(std::string(1025, 'x')))), ElementsAre("token"));
  request = {};
  request.set_token_sha256(std::string(31, 'x'));
  EXPECT_THAT(FieldsOf(Introspect(request)), ElementsAre("token_sha256"));
  EXPECT_EQ(facts_.finds(), 0);
}

TEST_F(IntrospectionServiceTest, BytesThatAreNoMessageAreAnInvalidArgument) {
  for (const std::string& bytes :
       {std::string("\x0a\xff", 2), std::string("\x0a\x05pat", 5), std::string("\xff\xff\xff\xff\xff", 5),
        std::string("\x0a\x02\xc3\x28", 4) /* not UTF-8 */, std::string("\x1a", 1), std::string("\x07", 1)}) {
    for (const char* method : {kIntrospect, kBatchIntrospect}) {
      const grpc::Status status = CallRaw(method, bytes);
      EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST") << method;
    }
  }
  EXPECT_EQ(facts_.finds(), 0);
}

// ---- What comes back.

TEST_F(IntrospectionServiceTest, AnActiveTokenComesBackWithItsFacts) {
  v1::IntrospectRequest request = RequestFor(token_.secret);
  request.add_requirements()->add_any_of("OR.Folders.Read");
  ASSERT_EQ(Outcome(Introspect(request)), "OK");
  EXPECT_TRUE(response_.active());
  EXPECT_EQ(response_.verdict(), v1::IntrospectResponse::VERDICT_ALLOW);
  EXPECT_EQ(response_.sub(), "users/ada");
  EXPECT_EQ(response_.jti(), token_.uid.ToString());
  EXPECT_EQ(response_.iss(), "the issuer");
  EXPECT_EQ(response_.freshness().source(), v1::Freshness::SOURCE_STORE);

  request.add_requirements()->add_any_of("TM.Defects");
  ASSERT_EQ(Outcome(Introspect(request)), "OK");
  EXPECT_EQ(response_.verdict(), v1::IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
  EXPECT_THAT(response_.unmet_requirements(), ElementsAre(1));
}

TEST_F(IntrospectionServiceTest, EveryInactiveTokenIsTheSameAnswer) {
  const IssuedToken revoked = authority_.Issue("ada");
  authority_.Revoke(revoked);
  v1::IntrospectResponse unknown;
  ASSERT_TRUE(server_.Introspect(RequestFor(NewPlainSecret()), unknown).ok());
  for (const std::string& token :
       {revoked.secret, std::string("x"), token_.secret + " ", std::string("a\0b", 3), std::string(1024, 'x')}) {
    ASSERT_EQ(Outcome(Introspect(RequestFor(token))), "OK");
    EXPECT_EQ(response_.verdict(), v1::IntrospectResponse::VERDICT_INACTIVE);
    response_.clear_freshness();
    unknown.clear_freshness();
    EXPECT_EQ(response_.SerializeAsString(), unknown.SerializeAsString());
  }
}

TEST_F(IntrospectionServiceTest, WhatCannotBeDecidedIsAnErrorWithoutTheEnginesText) {
  facts_.FailWith(absl::DataLossError("IO error: /data/db/000012.sst"));
  for (const grpc::Status& status : {Introspect(RequestFor(token_.secret)), Batch({RequestFor(token_.secret)})}) {
    EXPECT_EQ(Outcome(status), "UNAVAILABLE STORE_UNAVAILABLE");
    EXPECT_TRUE(HasRetryDelay(status));
    EXPECT_THAT(status.error_message() + status.error_details(), Not(HasSubstr("000012")));
  }
}

// ---- Batches.

TEST_F(IntrospectionServiceTest, AnEmptyBatchIsFine) {
  EXPECT_EQ(Outcome(Batch({})), "OK");
  EXPECT_EQ(responses_.responses_size(), 0);
}

TEST_F(IntrospectionServiceTest, ABatchIsAnsweredInItsOrder) {
  const IssuedToken second = authority_.Issue("ada");
  const IssuedToken revoked = authority_.Issue("ada");
  authority_.Revoke(revoked);
  ASSERT_EQ(Outcome(Batch({RequestFor(second.secret), RequestFor(revoked.secret), RequestFor("malformed"),
                           DigestRequest(token_), RequestFor(second.secret)})),
            "OK");
  ASSERT_EQ(responses_.responses_size(), 5);
  EXPECT_EQ(responses_.responses(0).jti(), second.uid.ToString());
  EXPECT_EQ(responses_.responses(1).verdict(), v1::IntrospectResponse::VERDICT_INACTIVE);
  EXPECT_EQ(responses_.responses(2).freshness().source(), v1::Freshness::SOURCE_FORMAT);
  EXPECT_EQ(responses_.responses(3).jti(), token_.uid.ToString());
  EXPECT_EQ(responses_.responses(4).jti(), second.uid.ToString());
}

// The whole batch is refused for one item, before anything is read, and every such item is named.
TEST_F(IntrospectionServiceTest, WhatIsWrongInABatchIsNamedWithItsItem) {
  std::vector<v1::IntrospectRequest> requests(9, RequestFor(token_.secret));
  requests[2].add_requirements();
  requests[7].set_token("");
  requests[8].clear_token();
  const grpc::Status status = Batch(requests);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(status),
              ElementsAre("requests[2].requirements[0].any_of", "requests[7].token", "requests[8].token"));
  EXPECT_EQ(facts_.finds(), 0);
}

TEST_F(IntrospectionServiceTest, AThousandItemsAreTheMost) {
  std::vector<v1::IntrospectRequest> requests(1000, RequestFor("malformed"));
  requests.back() = RequestFor(token_.secret);
  ASSERT_EQ(Outcome(Batch(requests)), "OK");
  ASSERT_EQ(responses_.responses_size(), 1000);
  EXPECT_TRUE(responses_.responses(999).active());

  requests.push_back(RequestFor("malformed"));
  const grpc::Status status = Batch(requests);
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(status), ElementsAre("requests"));
}

// A small message can hold very many items: they are counted before they cost anything.
TEST_F(IntrospectionServiceTest, ManyMoreItemsThanAreTakenAreCountedAndNamed) {
  const grpc::Status status = Batch(std::vector<v1::IntrospectRequest>(120'000));
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(status), ElementsAre("requests"));
  EXPECT_THAT(status.error_message(), HasSubstr("120000"));
}

TEST_F(IntrospectionServiceTest, AThousandItemsThatAreWrongAreCounted) {
  const grpc::Status status = Batch(std::vector<v1::IntrospectRequest>(1000));
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_EQ(FieldsOf(status).size(), 21);
  EXPECT_LT(status.error_details().size(), 4096);
}

// ---- The incarnation of a store that may become another one, as behind a sidecar.

// What a call that may send digests is told, by what the function said it was when the call came, and when it was
// answered.
class ChangingIncarnationTest : public testing::Test {
 protected:
  ChangingIncarnationTest() { authority_.AddUser("ada"); }

  std::string Told(const v1::IntrospectRequest& request) {
    grpc::ClientContext context;
    v1::IntrospectResponse response;
    EXPECT_TRUE(server_.stub().Introspect(&context, request, &response).ok());
    const auto [begin, end] = context.GetServerInitialMetadata().equal_range("x-pat-incarnation");
    return begin == end ? "nothing" : std::string(begin->second.data(), begin->second.size());
  }

  TestAuthority authority_;
  CachingFactsReader cache_{authority_.facts, authority_.clock, {}};
  ManualExecutor executor_;
  std::vector<std::string> says_;  // In turn.
  IntrospectionServer server_{authority_, cache_, executor_, ListenerRole::kDev, {.incarnation = [this] {
                                std::string next = says_.front();
                                says_.erase(says_.begin());
                                return next;
                              }}};
};

// For an answer from a cache may be of the time before, and whoever keeps it as one of now has it for a whole TTL.
TEST_F(ChangingIncarnationTest, AnAnswerIsNeverSaidToBeOfALaterOneThanItIs) {
  const v1::IntrospectRequest request = RequestFor(authority_.Issue("ada").secret);
  says_ = {"before", "after"};
  EXPECT_EQ(Told(request), "after") << "read meanwhile";
  says_ = {"before"};
  EXPECT_EQ(Told(request), "before") << "from the cache";
  says_ = {"before"};
  EXPECT_EQ(Told(RequestFor("malformed")), "before");
  EXPECT_EQ(says_.size(), 0);
}

TEST_F(ChangingIncarnationTest, OneThatIsNotKnownYetIsNotTold) {
  const v1::IntrospectRequest request = RequestFor(authority_.Issue("ada").secret);
  says_ = {"", "first"};
  EXPECT_EQ(Told(request), "first");
  says_ = {""};
  EXPECT_EQ(Told(request), "nothing");
}

// ---- Not of this server (yet), and not by accident open to anybody.

TEST_F(PlainListenerTest, MethodsThatAreNotServedAreUnimplemented) {
  EXPECT_EQ(CallRaw("/pat.v1.IntrospectionService/NoSuchMethod", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace pat
