#include "tests/simulation/authority_machine.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/audit_log.h"
#include "server/core/cache_bound.h"
#include "server/core/change_feed.h"
#include "server/core/change_retention.h"
#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/passwords.h"
#include "server/core/peppers.h"
#include "server/core/retention.h"
#include "server/core/scope_catalog.h"
#include "server/core/store_facts.h"
#include "server/rpc/messages.h"
#include "store/memory/memory_token_store.h"
#include "tests/simulation/served_call.h"
#include "tests/simulation/slow_disk.h"
#include "tests/support/test_authority.h"

namespace pat::simulation {
namespace {

const absl::Duration kHeartbeatInterval = absl::Seconds(5);
const absl::Duration kTick = absl::Milliseconds(250);

// Nobody logs in here.
class NoPasswords final : public Passwords {
 public:
  absl::StatusOr<PasswordRecord> Make(absl::string_view /*password*/) override {
    return absl::UnimplementedError("no passwords here");
  }
  absl::StatusOr<bool> IsRight(absl::string_view /*user_id*/, absl::string_view /*password*/,
                               absl::string_view /*peer*/) override {
    return false;
  }
};

// The memory engine never waits.
class NoExecutor final : public Executor {
 public:
  bool Run(absl::AnyInvocable<void()> /*task*/) override { return false; }
};

// The same for all schedules, and never changed.
const ScopeCatalog& Catalog() {
  static const auto& catalog = *new std::shared_ptr<const ScopeCatalog>(
      ScopeCatalog::Parse("R\tP\tBox\tBox.Read Box.Write\tD.\town\nR\tP\tBox.Read\t\tD.\town\n"
                          "R\tP\tBox.Write\t\tD.\town\nR\tP\tTill\t\tD.\town\n")
          .value());
  return *catalog;
}

const Peppers& OnePepper() {
  static const Peppers& peppers = *[] {
    std::vector<Secret> secrets;
    secrets.push_back(PepperOf('p'));
    return Peppers::Create(std::move(secrets)).value().release();
  }();
  return peppers;
}

}  // namespace

struct AuthorityMachine::Feeding {
  std::shared_ptr<Stream> stream;
  FeedPosition position;
  bool is_new = true;
  bool is_behind = true;
  bool is_writing = false;
  absl::Time last_message_at;
};

struct AuthorityMachine::Process {
  Process(World& world, Machine& machine, TokenStore& store)
      : clock(machine),
        facts(store, OnePepper(), Catalog(), clock, executor),
        disk(world, machine, facts),
        cache(disk, clock,
              {.ttl = world.plan.authority_ttl, .negative_ttl = world.plan.authority_negative_ttl, .capacity = 100}),
        introspector(cache, clock),
        audit(store, OnePepper(), clock),
        tokens(store, OnePepper(), Catalog(), retention, audit, clock,
               [this](const TokenDigest& digest) { cache.ForgetInactive(digest); }),
        users(store, Catalog(), passwords, audit, OnePepper(), clock),
        policy(store, Catalog(), audit, clock),
        feed(store),
        store_name{.incarnation = store.Incarnation(), .number = world.truth.store()} {}

  const Clock clock;
  NoExecutor executor;
  NoPasswords passwords;
  const Retention retention;
  StoreFacts facts;
  SlowDisk disk;
  CachingFactsReader cache;
  Introspector introspector;
  AuditLog audit;
  TokenLifecycle tokens;
  UserLifecycle users;
  PolicyRules policy;
  const ChangeFeed feed;
  const StoreName store_name;
  ChangeRetention changes;
  std::vector<std::shared_ptr<Feeding>> streams;
};

AuthorityMachine::AuthorityMachine(World& world)
    : world_(world), machine_(world.events, world.random, "authority"), store_(NewMemoryTokenStore()) {
  Start();
}

AuthorityMachine::~AuthorityMachine() { Stop(); }

TokenLifecycle& AuthorityMachine::tokens() { return process_->tokens; }
UserLifecycle& AuthorityMachine::users() { return process_->users; }
PolicyRules& AuthorityMachine::policy() { return process_->policy; }
Introspector& AuthorityMachine::introspector() { return process_->introspector; }
const Clock& AuthorityMachine::clock() const { return process_->clock; }

void AuthorityMachine::Introspect(const v1::IntrospectRequest& request, absl::Duration given, ReplyReceiver reply) {
  if (process_ == nullptr) return reply({.status = NobodyThere()});
  ServedCall::Start(
      process_->introspector, request, given, [name = process_->store_name] { return name; }, std::move(reply));
}

void AuthorityMachine::Start() {
  process_ = std::make_unique<Process>(world_, machine_, *store_);
  started_at_ = world_.events.now();
  CommitCacheTtl(*store_, world_.plan.authority_ttl, process_->clock.Now()).IgnoreError();  // The engine never fails.
}

void AuthorityMachine::Stop() {
  if (process_ == nullptr) return;
  // Nobody finds the process any more, while those that wait are told.
  const std::unique_ptr<Process> process = std::move(process_);
  process->disk.Shutdown();
  for (const std::shared_ptr<Feeding>& feeding : process->streams) {
    const std::shared_ptr<Stream>& stream = feeding->stream;
    if (stream->is_over) continue;
    stream->is_over = true;
    // Else the machine has crashed, and the other end hears nothing.
    if (world_.random.Chance(0.7)) world_.events.In(DrawDelay(world_), [stream] { stream->on_end(); });
  }
}

void AuthorityMachine::ReplaceStore(std::unique_ptr<TokenStore> store) { store_ = std::move(store); }

void AuthorityMachine::Sweep() {
  process_->cache.Sweep();
  RemoveOldChanges(*store_, process_->changes, process_->clock.Now()).status().IgnoreError();
}

void AuthorityMachine::ForgetAllChanges() {
  store_
      ->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
        const absl::StatusOr<size_t> removed = transaction.DeleteChangesThrough(transaction.Sequence(), SIZE_MAX);
        if (!removed.ok()) return removed.status();
        return Decision::kCommit;
      })
      .IgnoreError();
}

void AuthorityMachine::WakeStreams() {
  for (const std::shared_ptr<Feeding>& feeding : process_->streams) {
    feeding->is_behind = true;
    FeedLater(feeding, world_.plan.usual_delay * world_.random.Fraction());
  }
}

void AuthorityMachine::OpenStream(const std::shared_ptr<Stream>& stream, const std::string& resume_token) {
  auto feeding = std::make_shared<Feeding>();
  feeding->stream = stream;
  feeding->position = process_->feed.Begin(resume_token);
  process_->streams.push_back(feeding);
  ++world_.counts.streams;
  Feed(feeding);
  Tick(feeding);
}

void AuthorityMachine::FeedLater(const std::shared_ptr<Feeding>& feeding, absl::Duration wait) {
  machine_.Later(wait, [this, feeding] { Feed(feeding); });
}

void AuthorityMachine::Tick(const std::shared_ptr<Feeding>& feeding) {
  if (feeding->stream->is_over) return;
  machine_.Later(kHeartbeatInterval + kTick * world_.random.Fraction(), [this, feeding] {
    Feed(feeding);
    Tick(feeding);
  });
}

void AuthorityMachine::Feed(const std::shared_ptr<Feeding>& feeding) {
  if (process_ == nullptr || feeding->stream->is_over) {
    if (process_ != nullptr) std::erase(process_->streams, feeding);
    return;
  }
  const absl::Time now = world_.events.now();
  const bool is_due = feeding->is_new || now - feeding->last_message_at >= kHeartbeatInterval;
  if (feeding->is_writing || !(is_due || feeding->is_behind)) return;
  const absl::StatusOr<FeedMessage> message = process_->feed.Next(feeding->position);
  if (!message.ok()) return;  // The engine never fails.
  feeding->position = message->next;
  feeding->is_behind = message->more;
  if (message->kind == FeedMessage::Kind::kNothing && !is_due) return;
  feeding->is_new = false;
  feeding->last_message_at = now;

  StreamMessage sent;
  SetRevocations(*message, process_->feed.ResumeToken(message->next), sent.message);
  sent.told = world_.truth.LastCommit(process_->store_name.number, message->next.sequence);
  sent.store = process_->store_name.number;
  if (message->kind == FeedMessage::Kind::kReset) ++world_.counts.resets;
  Stream& stream = *feeding->stream;
  const bool is_lost = world_.fault == Fault::kLosesMessages && !sent.message.has_heartbeat() &&
                       !sent.message.has_reset() && world_.random.Chance(0.3);
  if (!is_lost) {
    stream.last_arrival = std::max(stream.last_arrival, now + DrawDelay(world_));
    world_.events.At(stream.last_arrival, [held = feeding->stream, sent = std::move(sent)] {
      if (!held->is_over) held->on_message(sent);
    });
  }
  feeding->is_writing = true;
  machine_.Later(world_.plan.usual_delay * world_.random.Fraction(), [this, feeding] {
    feeding->is_writing = false;
    Feed(feeding);
  });
}

}  // namespace pat::simulation
