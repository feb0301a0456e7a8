// Connections that are cut between the commit of a creation and its answer: whoever tries again with the same
// request_id gets one token, never two, and no secret stays behind that nobody has seen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pat/v1/policy_service.grpc.pb.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cutting_proxy.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::testing::IsEmpty;

constexpr int kThreads = 4;
constexpr int kCreationsEach = 250;

// What became of the creations.
struct Outcomes {
  std::atomic<int> answered = 0;       // Although the connection was to be cut.
  std::atomic<int> done_before = 0;    // Committed; the repetition was told so.
  std::atomic<int> done_by_retry = 0;  // The cut came first.
};

// No limit that would get into the way of a thousand tokens.
void AllowManyTokens(DevServer& server) {
  v1::UpdatePolicyRequest request;
  request.mutable_policy()->set_maximum_live_tokens(2 * kThreads * kCreationsEach);
  request.mutable_update_mask()->add_paths("maximum_live_tokens");
  v1::UpdatePolicyResponse response;
  const auto context = Client::ContextFor(Person("admin"));
  const auto stub = v1::PolicyService::NewStub(server.client().channel());
  const grpc::Status status = stub->UpdatePolicy(context.get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

// Makes one token over a connection that is cut at `when`, then again over one that is not.
void CreateOverCutConnection(DevServer& server, CuttingProxy::When when, const v1::CreateTokenRequest& request,
                             Outcomes& outcomes) {
  {
    CuttingProxy proxy(server.daemon().listening().front().port);
    Client client(proxy.target());
    // So that the connection stands, and the next thing that comes through it is the creation.
    const auto scopes = client.Call(&TokenStub::ListScopes, PortalFor("ada"), v1::ListScopesRequest());
    ASSERT_TRUE(scopes.status.ok()) << scopes.status.error_message();
    proxy.CutWhen(when);
    const auto first = client.Call(&TokenStub::CreateToken, PortalFor("ada"), request);
    if (first.status.ok()) ++outcomes.answered;
    ASSERT_EQ(first.response.secret(), "");
    ASSERT_GE(proxy.cuts(), 1U);
  }
  const auto again = server.client().Call(&TokenStub::CreateToken, PortalFor("ada"), request);
  if (again.status.ok()) {
    ++outcomes.done_by_retry;
    return;
  }
  ASSERT_THAT(again.status, IsRefusal(StatusCode::ALREADY_EXISTS, "REQUEST_REPLAYED"));
  ++outcomes.done_before;
}

std::vector<v1::Token> AllTokens(Client& client) {
  std::vector<v1::Token> tokens;
  v1::ListTokensRequest request;
  request.set_parent("users/ada");
  request.set_page_size(200);
  do {
    const auto page = client.Call(&TokenStub::ListTokens, PortalFor("ada"), request).value();
    tokens.insert(tokens.end(), page.tokens().begin(), page.tokens().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return tokens;
}

std::vector<std::string> SecretsUnder(const std::string& directory) {
  static const auto* const secret = new std::regex("pat_[0-9A-Za-z]{49}");
  std::vector<std::string> found;
  size_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    bytes += content.size();
    // The expression is slow; look for it only where it can be.
    for (size_t at = content.find("pat_"); at != std::string::npos; at = content.find("pat_", at + 1)) {
      if (std::regex_search(content.substr(at, 53), *secret)) found.push_back(entry.path().string());
    }
  }
  EXPECT_GT(bytes, size_t{100'000});  // It was looked at something.
  return found;
}

TEST(CutConnectionTest, AThousandCreationsMakeAThousandTokens) {
  DevServer server;
  AllowManyTokens(server);
  Outcomes outcomes;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&server, &outcomes, thread] {
      for (int i = 0; i < kCreationsEach && !testing::Test::HasFatalFailure(); ++i) {
        v1::CreateTokenRequest request = CreationFor("ada", absl::StrCat("token ", thread, ".", i));
        request.set_request_id(absl::StrCat("request-", thread, "-", i));
        // One in five is cut earlier, when it may not have been done.
        const auto when = i % 5 == 0 ? CuttingProxy::When::kAfterRequest : CuttingProxy::When::kBeforeAnswer;
        CreateOverCutConnection(server, when, request, outcomes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_FALSE(HasFailure());

  EXPECT_EQ(outcomes.answered, 0);
  EXPECT_EQ(outcomes.done_before + outcomes.done_by_retry, kThreads * kCreationsEach);
  // Whoever answers has committed, so at least those that were cut then.
  EXPECT_GE(outcomes.done_before, kThreads * kCreationsEach * 4 / 5);
  std::set<std::string> names;
  for (const v1::Token& token : AllTokens(server.client())) names.insert(token.display_name());
  EXPECT_EQ(names.size(), size_t{kThreads} * kCreationsEach);
  EXPECT_EQ(AllTokens(server.client()).size(), size_t{kThreads} * kCreationsEach);

  EXPECT_THAT(SecretsUnder(server.options().data_dir), IsEmpty());
}

}  // namespace
}  // namespace pat
