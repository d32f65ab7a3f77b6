#pragma once
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/laid_out_source.hpp>
#include <rwkv/io/write_numbers.hpp>

namespace rwkv {

namespace detail {
/// In files of FP16 too, rwkv.cpp keeps vectors and what its graph does not multiply by in FP32.
[[gnu::cold]] inline bool always_fp32(const TensorInfo& t) {
  if (t.shape.size() == 1 || t.name.find(".time_") != std::string::npos) return true;
  for (const char* end : {".k_k", ".k_a", ".r_k", ".x_rwkvag", ".x_k", ".w0", ".a0", ".v0"})
    if (t.name.ends_with(end)) return true;
  return false;
}
/// What its quantiser keeps: what is no matrix, tables of tokens, and low-rank factors of version 7.
[[gnu::cold]] inline bool never_quantised(const TensorInfo& t, bool embedding) {
  if (t.shape.size() != 2 || (t.name == "emb.weight" && !embedding) || t.name == "head.weight") return true;
  for (const char* end : {".v1", ".v2", ".g1", ".g2", ".a1", ".a2", ".w1", ".w2", ".r_k"})
    if (t.name.ends_with(std::string(".att") + end)) return true;
  return false;
}
[[gnu::cold]] inline Dtype rwkv_cpp_dtype(const TensorInfo& t, Dtype matrices, bool embedding) {
  if (in_blocks(matrices) && !never_quantised(t, embedding)) return matrices;
  const bool half = matrices == Dtype::f16 || (in_blocks(matrices) && t.dtype == Dtype::f16);
  return half && !always_fp32(t) ? Dtype::f16 : Dtype::f32;
}
/// Nothing for what it does not know.
constexpr std::optional<std::uint32_t> rwkv_cpp_code(Dtype d) {
  for (const auto& [dtype, code] :
       {std::pair(Dtype::f32, 0u), std::pair(Dtype::f16, 1u), std::pair(Dtype::q4_0, 2u), std::pair(Dtype::q4_1, 3u),
        std::pair(Dtype::q5_0, 7u), std::pair(Dtype::q5_1, 8u), std::pair(Dtype::q8_0, 9u)})
    if (dtype == d) return code;
  return {};
}
/// The tensors of one source, first those that another has as well, in its order: a file of the same layout keeps its
/// order, as it does in rwkv.cpp's quantiser.
[[gnu::cold]] inline std::vector<const TensorInfo*> in_order_of(const TensorSource& other, const TensorSource& source) {
  std::vector<const TensorInfo*> all;
  for (const TensorInfo& t : other.tensors())
    if (const TensorInfo* same = other.format() == RwkvCppFile::name ? source.find(t.name) : nullptr)
      all.push_back(same);
  const std::set<const TensorInfo*> found(all.begin(), all.end());
  for (const TensorInfo& t : source.tensors())
    if (!found.contains(&t)) all.push_back(&t);
  return all;
}
}  // namespace detail

/// Writes a model as rwkv.cpp's converter does: version 101, FP32 or FP16, or as its quantiser does, which leaves the
/// embedding, the head, and the low-rank factors of version 7 as they are. Error unless it is RWKV-4, 5.0, 5.2, 6 or 7,
/// if rwkv.cpp does not know the type, if a number is beyond it, if rows are no whole blocks, or if the file cannot be
/// written; then there is none.
[[gnu::cold]] inline void write_rwkv_cpp(const TensorSource& file, const std::string& path, Dtype matrices = Dtype::f32,
                                         bool embedding = false) {
  const auto code = detail::rwkv_cpp_code(matrices);
  if (!code) throw Error("rwkv.cpp's .bin has no ", name_of(matrices), "; store numbers as F32, F16 or quantised");
  const Detected found = detect(file);
  const Naming* naming = found.version == "4"             ? &namings::rwkv_cpp_v4
                         : found.version.starts_with("5") ? &namings::rwkv_cpp_v5
                         : found.version == "6"           ? &namings::rwkv_cpp_v6
                         : found.version == "7"           ? &namings::rwkv_cpp_v7
                                                          : nullptr;
  expect_whole(file, found);
  if (naming == nullptr)
    throw Error(file.path(), ": expected RWKV-4 to RWKV-7, which rwkv.cpp's .bin is for, found ", found_words(found));
  const OfficialSource official(file);
  const LaidOutSource source(official, found, *naming);
  AtomicFile to(path);
  const auto number = [](std::uint64_t n) {
    if (n > UINT32_MAX) throw Error("rwkv.cpp's .bin cannot hold an extent of ", n);
    return std::uint32_t(n);
  };
  const auto numbers = [&](std::span<const std::uint32_t> some) { to.write(std::as_bytes(some)); };
  const std::uint32_t header[] = {0x67676d66,
                                  101,
                                  number(std::uint64_t(found.size('V'))),
                                  number(std::uint64_t(found.size('C'))),
                                  number(std::uint64_t(found.size('L'))),
                                  *code};
  numbers(header);
  for (const TensorInfo* each : detail::in_order_of(file, source)) {
    const TensorInfo& t = *each;
    const Dtype dtype = detail::rwkv_cpp_dtype(t, matrices, embedding);
    std::vector<std::uint32_t> record{number(t.shape.size()), number(t.name.size()), *detail::rwkv_cpp_code(dtype)};
    for (std::size_t i = t.shape.size(); i > 0; --i) record.push_back(number(std::uint64_t(t.shape[i - 1])));
    numbers(record);
    to.write(std::as_bytes(std::span(t.name)));
    detail::write_numbers(source, t, dtype, [&](auto chunk) { to.write(chunk); });
  }
  to.commit();
}

}  // namespace rwkv
