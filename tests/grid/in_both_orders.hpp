#pragma once
#include "fibers.hpp"

namespace test {

/// Whatever differs between the two orders of a block's threads lacks a sync.
template <class F>
void in_both_orders(const F& f) {
  for (const Turns order : {Turns::ascending, Turns::descending}) {
    turns = order;
    f();
  }
  turns = Turns::ascending;
}

}  // namespace test
