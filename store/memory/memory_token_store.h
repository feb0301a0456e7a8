// A TokenStore in memory: the reference that the other engines are compared with, and what tests of everything above
// the store use. It keeps nothing: when the object is gone, so is the data.
//
// One lock, held for the whole of a mutation: readers wait for it. So the function of a mutation must not read through
// the store itself, only through its transaction (which holds for every engine).
//
// It never fails by itself: no kUnavailable, no kResourceExhausted, and FindByHmac never answers would_block.
#ifndef PAT_STORE_MEMORY_MEMORY_TOKEN_STORE_H_
#define PAT_STORE_MEMORY_MEMORY_TOKEN_STORE_H_

#include <memory>

#include "store/token_store.h"

namespace pat {

// An empty store with an incarnation of its own.
std::unique_ptr<TokenStore> NewMemoryTokenStore();

}  // namespace pat

#endif  // PAT_STORE_MEMORY_MEMORY_TOKEN_STORE_H_
