#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// `name` rewritten from the pattern `from` to the pattern `to`; nothing if it does not match `from`. A * stands for a
/// word or the rest of one, up to the next dot: rwkv.blocks.*.attention.time_mix_* -> blocks.*.att.time_mix_*.
[[gnu::cold]] inline std::optional<std::string> renamed(std::string_view name, std::string_view from,
                                                        std::string_view to) {
  std::string result;
  std::size_t at = 0, done = 0;  // in name, in to
  for (const char c : from) {
    if (c != '*') {
      if (at == name.size() || name[at++] != c) return {};
      continue;
    }
    const std::size_t end = std::min(name.find('.', at), name.size()), star = std::min(to.find('*', done), to.size());
    if (end == at) return {};
    result += to.substr(done, star - done);
    if (star < to.size()) result += name.substr(at, end - at);
    done = std::min(star + 1, to.size());
    at = end;
  }
  if (at < name.size()) return {};
  return result += to.substr(done);
}

/// The number in "blocks.12.att"; 0 where there is none.
[[gnu::cold]] inline int block_number(std::string_view name) {
  int n = 0;
  const std::size_t dot = name.find('.');
  for (std::size_t i = dot == name.npos ? name.size() : dot + 1; i < name.size() && name[i] >= '0' && name[i] <= '9';
       ++i)
    n = std::min(n * 10 + (name[i] - '0'), 1'000'000);
  return n;
}

}  // namespace rwkv
