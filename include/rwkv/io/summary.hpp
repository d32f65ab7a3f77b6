#pragma once
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <rwkv/models/model.hpp>

namespace rwkv {

namespace detail {

/// One line of a table.
using SummaryRow = std::array<std::string, 7>;

/// "0.5", "1", "1e-04"
inline std::string short_number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

template <class T, dim_t... D>
std::string extents_text(const View<T, Shape<D...>>&) {
  std::string text;
  ((text += (text.empty() ? "" : ", ") + std::to_string(D)), ...);
  return "(" + text + ")";
}

/// A row for every leaf of P; the blocks of a stack, which differ only in their number, share theirs.
template <Bundle P>
void summary_rows(const Path& path, dim_t times, std::vector<SummaryRow>& rows) {
  constexpr bool stacked = requires {
    P::stacked;
  };
  constexpr int siblings = field_count<P>();
  int seen = 0;
  P bundle{};
  P::fields(
      [&](const Field& field, auto& member) {
        if (stacked && seen++ > 0) return;
        const std::string word = std::to_string(field.index) + ".." + std::to_string(field.index + siblings - 1);
        const Field all{.name = word.c_str()};
        const Path here{&path, stacked && siblings > 1 ? &all : &field};
        const dim_t copies = stacked ? times * siblings : times;
        using M = std::remove_cvref_t<decltype(member)>;
        if constexpr (Bundle<M>)
          summary_rows<M>(here, copies, rows);
        else
          rows.push_back({here.name(), extents_text(member), std::to_string(M::shape::unit * copies), field.init.name,
                          short_number(field.init.gain), field.decays ? "yes" : "no", short_number(field.lr_scale)});
      },
      bundle);
}

/// Columns padded to the same width: words to the left, numbers to the right.
inline std::string table(const std::vector<SummaryRow>& rows, const std::array<bool, 7>& numbers) {
  std::array<std::size_t, 7> width{};
  for (const SummaryRow& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text;
  for (const SummaryRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(width[i] - row[i].size(), ' ');
      text += (i > 0 ? "  " : "") + (numbers[i] ? pad + row[i] : row[i] + pad);
    }
    text += '\n';
  }
  return text;
}

/// What a run holds, in bytes but for the counts.
struct SummarySizes {
  dim_t parameter_count, state_count;
  dim_t parameters, full_parameters, activations, state, state_per_sequence;
};
inline std::string totals(const SummarySizes& n, Seq seq) {
  std::string text = "parameters          " + std::to_string(n.parameter_count) + "\nstate per sequence  " +
                     std::to_string(n.state_count) + " scalars, " + std::to_string(n.state_per_sequence) +
                     " bytes\n\nmemory in MB for batch " + std::to_string(seq.batch) + ", time " +
                     std::to_string(seq.time) + "\n";
  const auto megabytes = [&](const char* name, dim_t bytes) {
    char row[64];
    std::snprintf(row, sizeof row, "  %-16s%12.3f\n", name, double(bytes) * 1e-6);
    text += row;
  };
  const dim_t master = n.parameters == n.full_parameters ? 0 : n.full_parameters;
  megabytes("parameters", n.parameters);
  if (master > 0) megabytes("master copy", master);
  megabytes("gradients", n.full_parameters);
  megabytes("moments", 2 * n.full_parameters);
  megabytes("activations", n.activations);
  megabytes("state", n.state);
  megabytes("total", n.parameters + master + 3 * n.full_parameters + n.activations + n.state);
  return text;
}

}  // namespace detail

/// A table of Net's parameters (name, shape, scalars, how they start, whether they decay, the multiple of the learning
/// rate) and what it holds on machine B while it trains with Adam on `seq`; nothing is allocated. The blocks of a stack
/// share a row and their scalars are added up. A megabyte is 10^6 bytes; scratch memory comes on top.
template <class Net, class B = Cpu<float>>
std::string summary(Seq seq = {}) {
  using Params = typename Net::template Params<B>;
  using State = typename Net::template State<Accum<B>>;
  std::vector<detail::SummaryRow> rows{{"name", "shape", "scalars", "init", "gain", "decay", "rate"}};
  detail::summary_rows<Params>({}, 1, rows);
  return detail::table(rows, {false, false, true, false, true, false, true}) + "\n" +
         detail::totals(
             {elements<Params>(), elements<State>(), bytes<Params>(), bytes<typename Net::template Params<Accum<B>>>(),
              bytes<typename Net::template Cache<B>>(seq), bytes<State>(seq), bytes<State>()},
             seq);
}
template <class Net, Backend B>
std::string summary(const Model<Net, B>&, Seq seq = {}) {
  return summary<Net, B>(seq);
}

}  // namespace rwkv
