#pragma once
#include <string>
#include <utility>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// What the first rank that has something to say says; empty where none has. Every rank calls it.
template <class C>
std::string first_text(C& ranks, const std::string& own) {
  for (std::string& text : ranks.gather_texts(own))
    if (!text.empty()) return std::move(text);
  return {};
}

}  // namespace rwkv
