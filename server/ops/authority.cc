#include "server/ops/authority.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/core/cache_bound.h"
#include "server/ops/builtin_catalog.h"

namespace pat {
namespace {

constexpr size_t kReadThreads = 4;
constexpr size_t kReadQueue = 4096;

// As many as PasswordVerifier lets compute, and wait: a queue behind its queue would only make callers wait longer.
constexpr size_t kCredentialThreads = 2;
constexpr size_t kCredentialQueue = 16;

const absl::Duration kFlushInterval = absl::Seconds(1);
constexpr int kFlushesPerUses = 10;

}  // namespace

absl::StatusOr<std::shared_ptr<const ScopeCatalog>> LoadScopeCatalog(const Options& options) {
  if (options.scope_catalog.empty()) return ScopeCatalog::Parse(kBuiltinCatalog);
  absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = ScopeCatalog::Load(options.scope_catalog);
  if (catalog.ok()) return catalog;
  return absl::Status(catalog.status().code(), absl::StrCat("--scope-catalog: ", catalog.status().message()));
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Create(const Options& options, DataDirectory& data,
                                                             std::shared_ptr<const ScopeCatalog> catalog,
                                                             IdentityTable identities, const Clock& clock) {
  std::unique_ptr<AuditLines> audit_lines;
  if (!options.audit_log.empty()) {
    absl::StatusOr<std::unique_ptr<AuditLines>> opened = AuditLines::Open(options.audit_log, clock);
    if (!opened.ok()) return opened.status();
    audit_lines = *std::move(opened);
  }
  // Entries of this process under an earlier --cache-ttl are gone; a larger bound of the past is kept all the same
  // until it has run out, because that is how it has to be where there are caches elsewhere.
  if (absl::Status status = CommitCacheTtl(data.store(), options.cache_ttl, clock.Now()); !status.ok()) return status;
  const absl::StatusOr<CacheBoundRecord> bound = data.store().GetCacheBound();
  if (!bound.ok()) return bound.status();
  const absl::Time now = clock.Now();
  if (const absl::Duration longest = CacheBoundAt(*bound, now); longest > options.cache_ttl) {
    spdlog::info(
        "--cache-ttl is {} now and was longer before: what was cached under that may be accepted until {}; until then "
        "the answer to a revocation says so",
        absl::FormatDuration(options.cache_ttl),
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now + longest, absl::UTCTimeZone()));
  }
  return absl::WrapUnique(
      new Authority(options, data, std::move(catalog), std::move(identities), clock, std::move(audit_lines)));
}

Authority::Authority(const Options& options, DataDirectory& data, std::shared_ptr<const ScopeCatalog> catalog,
                     IdentityTable identities, const Clock& clock, std::unique_ptr<AuditLines> audit_lines)
    : issuer_(options.issuer),
      store_(data.store()),
      catalog_(std::move(catalog)),
      identities_(std::move(identities)),
      retention_{.audit = options.audit_retention},
      audit_lines_(std::move(audit_lines)),
      reads_(std::make_unique<ThreadPool>(kReadThreads, kReadQueue)),
      credentials_(std::make_unique<ThreadPool>(kCredentialThreads, kCredentialQueue)),
      store_facts_(store_, data.peppers(), *catalog_, clock, *reads_),
      cache_(
          store_facts_, clock,
          {.ttl = options.cache_ttl, .negative_ttl = options.negative_cache_ttl, .capacity = options.cache_capacity}),
      introspector_(cache_, clock, &uses_),
      audit_(
          store_, data.peppers(), clock,
          audit_lines_ == nullptr ? AuditLog::RowListener()
                                  : [this](const AuditRecord& row) { audit_lines_->Write(row); }),
      passwords_(store_, clock),
      tokens_(store_, data.peppers(), *catalog_, retention_, audit_, clock,
              [this](const TokenDigest& digest) { cache_.ForgetInactive(digest); }),
      users_(store_, *catalog_, passwords_, audit_, data.peppers(), clock),
      policy_(store_, *catalog_, audit_, clock),
      authenticator_(identities_, store_, passwords_, store_facts_),
      refusals_(clock, &store_),
      scope_page_tokens_(data.peppers().DeriveKey("page tokens of ListScopes")),
      clock_(clock),
      changes_(store_),
      commits_(std::make_unique<CommitWatch>(store_)),
      maintenance_(std::make_unique<Maintenance>(store_, cache_, retention_, clock)),
      flusher_(std::make_unique<PeriodicTask>(kFlushInterval, [this] { Flush(); })) {}

ServingParts Authority::serving() {
  return {.management = ManagementParts{.tokens = tokens_,
                                        .users = users_,
                                        .policy = policy_,
                                        .audit = audit_,
                                        .catalog = *catalog_,
                                        .scope_page_tokens = scope_page_tokens_},
          .introspector = introspector_,
          .authenticator = authenticator_,
          .credentials = *credentials_,
          .clock = clock_,
          .changes = {&changes_, commits_.get()},
          .uses = &uses_,
          .issuer = issuer_,
          .incarnation = [incarnation = store_.Incarnation()] { return incarnation; },
          .refusals = &refusals_};
}

// What the store says against it is in the log already; what could not be written is kept for the next time.
void Authority::Flush() {
  audit_.Flush().IgnoreError();
  if (++flushes_ % kFlushesPerUses == 0) uses_.Flush(store_).IgnoreError();
}

void Authority::Stop() {
  if (maintenance_ == nullptr) return;
  commits_ = nullptr;
  flusher_ = nullptr;
  maintenance_ = nullptr;
  credentials_ = nullptr;
  reads_ = nullptr;
  uses_.Flush(store_).IgnoreError();
  audit_.Flush(/*all=*/true).IgnoreError();
}

}  // namespace pat
