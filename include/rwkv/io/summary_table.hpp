#pragma once
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include <rwkv/core/leaf.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/io/tensor_info.hpp>

namespace rwkv::detail {

/// A row of the table, and which of its columns are numbers.
using SummaryRow = std::array<std::string, 8>;
inline constexpr std::array<bool, 8> summary_numbers{false, false, true, false, false, true, false, true};

/// Of the leaf `first`, and of those like it in the next blocks of its stack, each `block` leaves further on.
inline SummaryRow summary_row(std::span<const Leaf> leaves, std::size_t first, std::size_t block, std::size_t blocks) {
  const Leaf& leaf = leaves[first];
  std::string name = leaf.name, stored = name_of(leaf.storage);
  if (blocks > 1) {
    const std::string& next = leaves[first + block].name;
    const auto at = std::size_t(std::mismatch(name.begin(), name.end(), next.begin()).first - name.begin());
    name.insert(at + 1, ".." + std::to_string(blocks - 1));
  }
  for (std::size_t b = 1; b < blocks; ++b)
    if (leaves[first + b * block].storage != leaf.storage) stored = "mixed";
  return {name,
          shape_text(leaf.shape),
          std::to_string(leaf.size * dim_t(blocks)),
          stored,
          leaf.field.init.name,
          number_text(double(leaf.field.init.gain), 4),
          leaf.field.decays ? "yes" : "no",
          leaf.trained ? number_text(double(leaf.field.lr_scale), 4) : "fixed"};
}
/// A row for every leaf; the blocks of a stack, which differ only in their number, share theirs.
inline std::vector<SummaryRow> summary_rows(std::span<const Leaf> leaves) {
  std::vector<SummaryRow> rows{{"name", "shape", "scalars", "stored", "init", "gain", "decay", "rate"}};
  for (std::size_t first = 0; first < leaves.size();) {
    const auto in_block = [&](std::size_t i, std::size_t b) {
      return i < leaves.size() && leaves[i].layers == leaves[first].layers && leaves[i].layer == int(b);
    };
    std::size_t block = 1, blocks = std::size_t(leaves[first].layers);
    while (blocks > 1 && in_block(first + block, 0)) ++block;
    for (std::size_t b = 0; b < blocks; ++b)
      if (!in_block(first + b * block, b)) blocks = 1;  // blocks that hold stacks of their own
    for (std::size_t i = first; i < first + block; ++i) rows.push_back(summary_row(leaves, i, block, blocks));
    first += block * blocks;
  }
  return rows;
}

/// Columns padded to the same width: words to the left, numbers to the right.
inline std::string table(const std::vector<SummaryRow>& rows) {
  SummaryRow::size_type width[8] = {};
  for (const SummaryRow& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text;
  for (const SummaryRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(width[i] - row[i].size(), ' ');
      text += (i > 0 ? "  " : "") + (summary_numbers[i] ? pad + row[i] : row[i] + pad);
    }
    text += '\n';
  }
  return text;
}

}  // namespace rwkv::detail
