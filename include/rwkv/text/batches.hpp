#pragma once
#include <rwkv/text/minibatch.hpp>
#include <rwkv/text/streams.hpp>
#include <rwkv/text/windows.hpp>

namespace rwkv {

static_assert(BatchSource<Windows> && BatchSource<Streams>);

}  // namespace rwkv
