#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// Texts by their beginnings: finds the longest of them that another text starts with. Nodes lie in flat arrays, the
/// children of each side by side; one with many children has a table of them by their bytes.
class ByteTrie {
 public:
  struct Match {
    std::int32_t id = -1;  ///< -1: none
    std::size_t size = 0;  ///< bytes
  };

  ByteTrie() = default;
  /// Text number i has the id i; empty texts are in no text. Of equal texts one is found.
  explicit ByteTrie(std::span<const std::string> texts) {
    std::vector<std::int32_t> sorted(texts.size());
    std::iota(sorted.begin(), sorted.end(), 0);
    std::sort(sorted.begin(), sorted.end(),
              [&](std::int32_t a, std::int32_t b) { return at(texts, a) < at(texts, b); });
    std::vector<Range> ranges{{0, sorted.size(), 0}};
    nodes_.emplace_back(), letters_.push_back(0);
    for (std::size_t node = 0; node < ranges.size(); ++node) {
      std::size_t begin = ranges[node].begin;
      const std::size_t end = ranges[node].end, depth = ranges[node].depth;
      for (; begin < end && at(texts, sorted[begin]).size() == depth; ++begin)
        if (depth > 0) nodes_[node].id = sorted[begin];
      nodes_[node].first = static_cast<std::uint32_t>(ranges.size());
      const auto letter = [&](std::size_t i) { return static_cast<unsigned char>(at(texts, sorted[i])[depth]); };
      for (std::size_t next = begin; begin < end; begin = next) {
        while (next < end && letter(next) == letter(begin)) ++next;
        ranges.push_back({begin, next, depth + 1});
        nodes_.emplace_back(), letters_.push_back(letter(begin));
      }
      nodes_[node].children = static_cast<std::uint32_t>(ranges.size()) - nodes_[node].first;
      if (nodes_[node].children > few) make_table(nodes_[node]);
    }
  }

  /// Of the texts that `text` starts with, the longest.
  Match longest(std::string_view text) const {
    Match best;
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      node = child(nodes_[node], static_cast<unsigned char>(text[i]));
      if (node == 0) break;
      if (nodes_[node].id >= 0) best = {nodes_[node].id, i + 1};
    }
    return best;
  }

 private:
  static constexpr std::uint32_t few = 8;
  struct Node {
    std::uint32_t first = 0, children = 0;  // nodes, or where there are many, the table's number
    std::int32_t id = -1;
  };
  struct Range {
    std::size_t begin, end, depth;
  };

  static const std::string& at(std::span<const std::string> texts, std::int32_t id) {
    return texts[static_cast<std::size_t>(id)];
  }
  /// 0 if there is none: the root is nobody's child.
  std::uint32_t child(const Node& node, unsigned char letter) const {
    if (node.children > few) return tables_[node.first][letter];
    for (std::uint32_t next = node.first, end = next + node.children; next < end; ++next)
      if (letters_[next] == letter) return next;
    return 0;
  }
  void make_table(Node& node) {
    auto& table = tables_.emplace_back();
    for (std::uint32_t next = node.first, end = next + node.children; next < end; ++next) table[letters_[next]] = next;
    node.first = static_cast<std::uint32_t>(tables_.size() - 1);
  }

  std::vector<Node> nodes_ = std::vector<Node>();
  std::vector<unsigned char> letters_;  // that leads to each node
  std::vector<std::array<std::uint32_t, 256>> tables_;
};

}  // namespace rwkv
