#pragma once
#include <rwkv/io/import_rule.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// A way to name and store the parameters of a model that is not the official one: how a file of it is known, and what
/// to do with it.
struct Naming {
  bool (*fits)(const TensorSource& source);
  ImportTable table;
};

}  // namespace rwkv
