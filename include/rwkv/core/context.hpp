#pragma once
#include <rwkv/core/dropout_stream.hpp>
#include <rwkv/core/scratch.hpp>

namespace rwkv {

/// What every forward and backward needs besides its operands.
template <class B>
struct Context {
  Scratch<B> scratch;
  bool needs_backward = true;    ///< false where no backward will follow: what it alone needs may be left out
  bool last_token_only = false;  ///< logits are wanted of the last token of each sequence only: see LastToken
  DropoutStreams dropout;        ///< the random streams of dropout
};

}  // namespace rwkv
