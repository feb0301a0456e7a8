// A TokenStore that writes what goes wrong in another one to the log, at most one line a second: the text of an
// engine's error belongs there and nowhere else. Refusals by the rules are not errors of the engine, and pass.
#ifndef PAT_SERVER_OPS_LOGGING_STORE_H_
#define PAT_SERVER_OPS_LOGGING_STORE_H_

#include <memory>

#include "server/core/clock.h"
#include "store/token_store.h"

namespace pat {

// `clock` must outlive the result.
std::unique_ptr<TokenStore> NewLoggingStore(std::unique_ptr<TokenStore> store, const Clock& clock);

}  // namespace pat

#endif  // PAT_SERVER_OPS_LOGGING_STORE_H_
