// Authority: what works on the data of an authority, between the store and the listeners. `patd dev` and `patd
// authority` have the same.
//
// Threads: for the thread that made it. What serving() gives is for any thread.
#ifndef PAT_SERVER_OPS_AUTHORITY_H_
#define PAT_SERVER_OPS_AUTHORITY_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/authn/authenticator.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/audit_log.h"
#include "server/core/change_feed.h"
#include "server/core/clock.h"
#include "server/core/commit_watch.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/page_token.h"
#include "server/core/policy_rules.h"
#include "server/core/retention.h"
#include "server/core/scope_catalog.h"
#include "server/core/store_facts.h"
#include "server/core/token_lifecycle.h"
#include "server/core/use_recorder.h"
#include "server/core/user_lifecycle.h"
#include "server/ops/audit_lines.h"
#include "server/ops/data_directory.h"
#include "server/ops/listener.h"
#include "server/ops/maintenance.h"
#include "server/ops/options.h"
#include "server/ops/periodic_task.h"
#include "server/ops/refusal_log.h"

namespace pat {

// The catalogue that the options name, or the one built in.
absl::StatusOr<std::shared_ptr<const ScopeCatalog>> LoadScopeCatalog(const Options& options);

class Authority {
 public:
  // Puts it together, raises what the store knows of the longest TTL, and begins maintenance. `data` and `clock` must
  // outlive this object. Errors: the store's, and an --audit-log that cannot be opened.
  static absl::StatusOr<std::unique_ptr<Authority>> Create(const Options& options, DataDirectory& data,
                                                           std::shared_ptr<const ScopeCatalog> catalog,
                                                           IdentityTable identities, const Clock& clock);
  ~Authority() { Stop(); }

  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // For listeners, which must be gone before Stop().
  ServingParts serving();

  // Ends maintenance, after the transaction that it is in, does what is queued for the workers, and writes what was
  // noted of uses and refusals. Twice does no harm.
  void Stop();

 private:
  Authority(const Options& options, DataDirectory& data, std::shared_ptr<const ScopeCatalog> catalog,
            IdentityTable identities, const Clock& clock, std::unique_ptr<AuditLines> audit_lines);

  void Flush();

  // In the order in which they are made; each may use those before it. Stop() ends those that have threads.
  const std::string issuer_;
  TokenStore& store_;
  const std::shared_ptr<const ScopeCatalog> catalog_;
  const IdentityTable identities_;
  const Retention retention_;
  const std::unique_ptr<AuditLines> audit_lines_;  // Null: none are asked for.
  std::unique_ptr<ThreadPool> reads_;
  std::unique_ptr<ThreadPool> credentials_;
  StoreFacts store_facts_;
  CachingFactsReader cache_;
  UseRecorder uses_;
  Introspector introspector_;
  AuditLog audit_;
  PasswordVerifier passwords_;
  TokenLifecycle tokens_;
  UserLifecycle users_;
  PolicyRules policy_;
  Authenticator authenticator_;
  RefusalLog refusals_;
  const PageTokens scope_page_tokens_;
  const Clock& clock_;
  const ChangeFeed changes_;
  std::unique_ptr<CommitWatch> commits_;
  std::unique_ptr<Maintenance> maintenance_;
  int flushes_ = 0;
  std::unique_ptr<PeriodicTask> flusher_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_AUTHORITY_H_
