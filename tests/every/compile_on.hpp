#pragma once
#include <rwkv/testing/layer_run.hpp>

#include "lists.hpp"
#include "runs.hpp"

namespace every {

using Everything = decltype(Layers() + Models());
/// Enough for a compiler that takes long: models hold nearly all layers.
using Few = decltype(Models() + BesideModels());

/// Compiles for machine B the lines whose place in the list leaves `part` when divided by `of`, and keeps them for
/// runs_on(machine).
template <class B, int part, int of, class... Lines>
bool compile_on(const char* machine, List<Lines...>) {
  const auto compile = [&]<class One, int place>(One, std::integral_constant<int, place>) {
    if constexpr (place % of == part && (One::traits.reduced_precision || !ReducedPrecision<B>)) {
      auto layer = std::make_unique<testing::LayerRun<typename One::layer, B>>();
      const std::string name = layer->facts().name;
      runs_on(machine)[name] = {One::traits, std::move(layer)};
    }
  };
  [&]<int... place>(std::integer_sequence<int, place...>) {
    (compile(Lines(), std::integral_constant<int, place>()), ...);
  }
  (std::make_integer_sequence<int, sizeof...(Lines)>());
  return true;
}

}  // namespace every
