// Sidecar: what works between an authority and the listeners: the same cache and the same introspector that an
// authority has, over a source that asks the authority (server/upstream). `patd dev` and `patd sidecar` have the same.
//
// It keeps nothing on disk and knows no users: any `authorization` is refused.
//
// Threads: for the thread that made it. What serving() gives is for any thread.
#ifndef PAT_SERVER_OPS_SIDECAR_H_
#define PAT_SERVER_OPS_SIDECAR_H_

#include <atomic>
#include <memory>

#include "absl/strings/string_view.h"
#include "server/authn/authenticator.h"
#include "server/authn/identities.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/alarm.h"
#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/use_recorder.h"
#include "server/ops/line_limiter.h"
#include "server/ops/listener.h"
#include "server/ops/options.h"
#include "server/ops/periodic_task.h"
#include "server/ops/refusal_log.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/revocation_watcher.h"
#include "server/upstream/upstream_facts.h"
#include "server/upstream/upstream_observer.h"
#include "server/upstream/use_reporter.h"

namespace pat {

class Sidecar {
 public:
  // Begins to work; the authority need not be there yet. `clock` must outlive this object.
  Sidecar(const Options& options, std::unique_ptr<AuthorityChannels> channels, IdentityTable identities,
          const Clock& clock);
  ~Sidecar() { Stop(); }

  Sidecar(const Sidecar&) = delete;
  Sidecar& operator=(const Sidecar&) = delete;

  // For listeners, which must be gone before Stop().
  ServingParts serving();

  // Ends the stream of revocations, and tells the authority what was noted of uses if it takes that within two seconds.
  // Twice does no harm.
  void Stop();

 private:
  class Observer final : public UpstreamObserver {
   public:
    Observer(Sidecar& sidecar, const Clock& clock)
        : sidecar_(sidecar),
          facts_{.about = "", .lines = LineLimiter(clock)},
          revocations_{.about = "stream of revocations: ", .lines = LineLimiter(clock)},
          uses_{.about = "report of uses: ", .lines = LineLimiter(clock)} {}

    void OnAnotherStore() override;
    void OnAnswer(UpstreamCall call) override;
    void OnPush(PushState state) override;
    void OnFailure(UpstreamCall call, absl::string_view text) override;

   private:
    // What was said of one kind of call. Of each by itself: while one is refused and others are answered, the authority
    // does not come and go.
    struct Kind {
      const char* const about;  // How its lines begin.
      LineLimiter lines;
      std::atomic<bool> has_failed = false;  // And a line of the log says so.
    };

    Kind& KindOf(UpstreamCall call);

    Sidecar& sidecar_;
    Kind facts_;
    Kind revocations_;
    Kind uses_;
  };

  // In the order in which they are made; each may use those before it. Stop() ends those that have threads.
  const std::string issuer_;
  const IdentityTable identities_;
  const Clock& clock_;
  const std::unique_ptr<AuthorityChannels> channels_;
  Observer observer_;
  UpstreamFacts upstream_;
  AlarmThread alarm_;
  CachingFactsReader cache_;
  UseRecorder uses_;
  Introspector introspector_;
  Authenticator authenticator_;
  RefusalLog refusals_;
  std::unique_ptr<ThreadPool> credentials_;
  std::unique_ptr<UseReporter> reporter_;
  std::unique_ptr<RevocationWatcher> watcher_;  // Null: propagation mode ttl.
  std::unique_ptr<PeriodicTask> sweeper_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_SIDECAR_H_
