#pragma once
#include <rwkv/layers/activation.hpp>
#include <rwkv/models/families.hpp>

namespace test {

/// A net of nobody's family.
struct OwnNet : rwkv::Sequential<rwkv::Embedding<8, 4>, rwkv::Tanh<4>, rwkv::Linear<4, 8>> {};

}  // namespace test
