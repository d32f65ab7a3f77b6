#pragma once
#include <string>

#include <rwkv/core/lanes.hpp>
#include <rwkv/models/family.hpp>
#include <rwkv/registry/machine.hpp>
#include <rwkv/registry/registered_net.hpp>

namespace rwkv::detail {

/// The net's type, made anew of its sizes: whatever a file holds, only numbers of it get here. Error for sizes that no
/// net has.
[[gnu::cold]] inline std::string checked_type(const Family& family, const NetShape& shape) {
  constexpr dim_t most = dim_t{1} << 31;
  bool good = shape.vocabulary > 0 && shape.width > 0 && shape.layers > 0;
  for (const dim_t size : {shape.vocabulary, shape.width, shape.layers, shape.heads, shape.hidden, shape.context})
    good = good && size >= 0 && size < most;
  for (const dim_t rank : shape.ranks) good = good && rank >= 0 && rank < most;
  if (good && shape.heads > 0) good = shape.width % shape.heads == 0;
  if (!good)
    throw Error(
        "sizes of a net: expected numbers from 1 on, and a width that is a multiple of the heads, found a "
        "vocabulary of ",
        shape.vocabulary, ", ", shape.width, " wide, ", shape.layers, " layers, ", shape.heads, " heads");
  return family.type(shape);
}

/// The unit that registers a net, as CMake's rwkv_models writes it. What must be alike in the program and here, or they
/// would misread each other's memory, is compared while it is compiled.
[[gnu::cold]] inline std::string net_unit(const std::string& type, Machine::Precision precision) {
  const auto same = [](const std::string& what, std::size_t number) {
    return "static_assert(" + what + " == " + std::to_string(number) +
           ", \"the program was compiled for another processor or by other headers\");\n";
  };
  return "#include <rwkv/models/families.hpp>\n#include <rwkv/registry/register_net.hpp>\nnamespace rwkv {\n" +
         same("native_width<float>", static_cast<std::size_t>(native_width<float>)) +
         same("sizeof(RegisteredNet)", sizeof(RegisteredNet)) + same("sizeof(AnyModel)", sizeof(AnyModel)) +
         "namespace {\nconst RegisterNet<" + type + (precision == Machine::Precision::bf16 ? ", bf16" : ", float") +
         "> net(\"" + type + "\");\n}\n}  // namespace rwkv\n";
}

}  // namespace rwkv::detail
