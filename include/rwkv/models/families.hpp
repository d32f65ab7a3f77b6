#pragma once
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/models/v5.hpp>
#include <rwkv/models/v6.hpp>
#include <rwkv/models/v7.hpp>

namespace rwkv {

/// All kinds of models: a new one is a line here, and its header above.
inline constexpr const Family* families[] = {&v4::family, &v5::family,   &v6::family,         &v7::family,
                                             &v1::family, &gpt2::family, &gpt2::study::family};

}  // namespace rwkv
