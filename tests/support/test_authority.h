// TestAuthority: everything that issues and judges tokens, over the memory engine, on a clock that is moved by hand.
//
// The catalogue is small: OR.Folders covers OR.Folders.Read and OR.Folders.Write, TM.Defects covers TM.Defects.Read,
// and PAT.SelfRegenerate and 70 scopes Many.00 ... Many.69 stand alone. There are no users at first.
#ifndef PAT_TESTS_SUPPORT_TEST_AUTHORITY_H_
#define PAT_TESTS_SUPPORT_TEST_AUTHORITY_H_

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/audit_log.h"
#include "server/core/clock.h"
#include "server/core/peppers.h"
#include "server/core/principal.h"
#include "server/core/resource_name.h"
#include "server/core/retention.h"
#include "server/core/scope_catalog.h"
#include "server/core/store_facts.h"
#include "server/core/token_lifecycle.h"
#include "server/core/token_secret.h"
#include "store/token_store.h"
#include "tests/support/controlled_token_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_executor.h"

namespace pat {

// The uid of the first user of this id that TestAuthority makes: so that a test can name a principal without looking.
UserUid FirstUidOf(absl::string_view user_id);

// Principals who act for the first user of this id.
Principal AsUser(absl::string_view user_id);
Principal AsAdministrator(absl::string_view user_id);
Principal AsPortal(absl::string_view user_id);

// A token that was issued, with its secret.
struct IssuedToken {
  std::string name;
  TokenUid uid;
  std::string secret;
  TokenDigest digest;
};

// A pepper of 32 bytes of this value.
Secret PepperOf(char byte);

// Puts the policy of a store, changed. A failure fails the test.
void ChangePolicy(TokenStore& store, absl::FunctionRef<void(PolicyRecord&)> change);

// Threads: as the objects that it gives. Issue() and the other methods that write may be called from any thread.
class TestAuthority {
 public:
  TestAuthority();

  // What it is made of, each a part that a test may use by itself.
  FakeClockSource time;
  const Clock clock{time};
  const Retention retention;
  const std::shared_ptr<const ScopeCatalog> catalog;
  const std::unique_ptr<const Peppers> peppers;
  const std::unique_ptr<TokenStore> engine;
  ControlledTokenStore store{*engine};
  ManualExecutor executor;
  StoreFacts facts;
  AuditLog audit;

  // Told of new secrets. Set it before there are other threads.
  std::function<void(const TokenDigest&)> on_new_secret;
  TokenLifecycle tokens;

  // A local user with all grants. The first one of an id has the uid FirstUidOf(id), a later one another.
  void AddUser(absl::string_view id);
  void ChangeUser(absl::string_view id, absl::FunctionRef<void(UserRecord&)> change);
  void DeleteUser(absl::string_view id);

  // The same principal, let in now: for whoever has the id.
  Principal Anew(Principal principal) const;

  // The policy as it is kept, and another one.
  PolicyRecord policy() const;
  void ChangePolicy(absl::FunctionRef<void(PolicyRecord&)> change) { pat::ChangePolicy(*engine, change); }

  // A request that is right: a new display name, scope OR.Folders, a life of 30 days.
  CreateTokenQuery GoodCreation(absl::string_view user_id);

  // Creates a token; a refusal fails the test.
  IssuedToken Issue(const CreateTokenQuery& query);
  IssuedToken Issue(absl::string_view user_id) { return Issue(GoodCreation(user_id)); }

  // Revokes it as its owner; a refusal fails the test. Returns last_accept_time.
  absl::Time Revoke(const IssuedToken& token);

  // Regenerates it as its owner, unchanged; a refusal fails the test. Returns the token with the new secret.
  IssuedToken Regenerate(const IssuedToken& token);

 private:
  std::atomic<int> named_ = 0;

  absl::Mutex mutex_;
  std::set<std::string> added_ ABSL_GUARDED_BY(mutex_);  // Ids of users who are, or were, there.
};

// The {user} of "users/{user}/tokens/{token}".
std::string OwnerIdOf(const IssuedToken& token);

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_TEST_AUTHORITY_H_
