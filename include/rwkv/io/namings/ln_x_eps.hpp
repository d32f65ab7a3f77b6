#pragma once
#include <cmath>

#include <rwkv/io/naming.hpp>

namespace rwkv::namings {

/// The layouts of Hugging Face for version 7 take the width of a head times 1e-5 for the eps of ln_x, the official code
/// 64e-5 for any width: the same for heads of 64 only. What the recurrence gives is linear in the receptance r, so r
/// times s = sqrt(64e-5 / eps) makes of the official norm theirs; r_k, which r multiplies beside the norm, takes 1 / s.
inline double receptance_factor(const LayoutFacts& facts, int) {
  return facts.head_size > 0 ? std::sqrt(64. / double(facts.head_size)) : 1;
}
inline double bonus_factor(const LayoutFacts& facts, int block) {
  return 1 / receptance_factor(facts, block);
}

}  // namespace rwkv::namings
