#pragma once
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>

#include "list.hpp"

namespace every {
using namespace rwkv;

// clang-format off

/// Every model, small. A new version is a line here.
using Models = List<
    Line<v4::Model<vocabulary, 12, 2>>,
    Line<v1::Model<vocabulary, 12, 2, 2, 6, 12, 256>>,
    Line<gpt2::Model<vocabulary, 12, 2, 3, 256>>,
    Line<gpt2::study::Model<vocabulary, 12, 2, 6, 256>>,
    Line<gpt2::Model<vocabulary, 12, 1, 3, 256, 10>, Traits{.dropout = true}>>;

// clang-format on
}  // namespace every
