#pragma once
#include <cmath>

#include <rwkv/core/number_text.hpp>
#include <rwkv/inference/any_decoder.hpp>
#include <rwkv/inference/tuned_state.hpp>
#include <rwkv/inference/weights_identity.hpp>
#include <rwkv/io/bundle_reader.hpp>
#include <rwkv/io/open_source.hpp>
#include <rwkv/io/save.hpp>

namespace rwkv {

namespace detail {
/// Error unless the file says that it is the state of so many sequences in these weights.
[[gnu::cold]] inline void expect_state_of(const TensorSource& source, const std::string& identity, dim_t batch) {
  const auto said = [&](const char* key) {
    const auto found = source.metadata().find(key);
    if (found == source.metadata().end())
      throw Error(source.path(), ": expected a state that save_state wrote, or nothing but blocks.N.att.time_state, ",
                  "found neither; a model is read by open or load");
    return found->second;
  };
  if (const std::string of = said("state_of"); of != identity)
    throw Error(source.path(), ": expected a state of this model (", identity, "), found one of another (", shown(of),
                "); open the model that it was saved with, or read the prompt again");
  if (const std::string sequences = said("sequences"); sequences != std::to_string(batch))
    throw Error(source.path(), ": expected a state of ", batch, " sequences, found one of ", shown(sequences),
                "; make the decoder with that batch");
}
/// Error unless what a state says of each sequence in one number, a count of tokens that windows are read by, is one:
/// that of the tokens seen, where the context is limited.
[[gnu::cold]] inline void expect_counts(const TensorSource& source, const BundleMemory& state, dim_t batch, dim_t seen,
                                        bool limited) {
  for (const Leaf& leaf : state.leaves) {
    if (leaf.shape != std::vector<dim_t>{batch, 1}) continue;
    std::vector<std::byte> bytes(static_cast<std::size_t>(leaf.bytes()));
    state.download_bytes(bytes.data(), state.of(leaf), bytes.size());
    std::vector<double> numbers(static_cast<std::size_t>(batch));
    read_elements(file_dtype(leaf.storage), bytes.data(), 0, std::span(numbers));
    for (const double n : numbers)
      if (limited ? n != double(seen) : !(n >= 0 && n <= 1 << 24 && n == std::floor(n)))
        throw Error(source.path(), ": state.", leaf.name, ": expected the number of tokens that were read",
                    limited ? ", " + std::to_string(seen) : "", ", found ", number_text(n),
                    "; the file is damaged, save the state again");
  }
}
/// The tokens of a limited context, (time, batch).
[[gnu::cold]] inline std::vector<std::int32_t> read_seen(const TensorSource& source, dim_t batch, dim_t context,
                                                         dim_t vocabulary) {
  const TensorInfo* const t = source.find("seen");
  const bool fits = t != nullptr && t->shape.size() == 2 && t->shape[0] <= context && t->shape[1] == batch;
  if (!fits)
    throw Error(source.path(), ": seen: expected at most ", context, " tokens of each of ", batch, " sequences, found ",
                t == nullptr ? "nothing of that name" : shape_text(t->shape), "; save the state again");
  std::vector<std::int32_t> seen(std::size_t(t->shape[0] * batch));
  source.read("seen", t->shape, std::span(seen));
  for (const std::int32_t id : seen)
    if (id < 0 || id >= vocabulary)
      throw Error(source.path(), ": seen: expected tokens from 0 to ", vocabulary - 1, ", found ", id,
                  "; the file is damaged, save the state again");
  return seen;
}

[[gnu::cold]] inline void save_state(const std::string& path, const DecoderMemory& decoder, dim_t batch,
                                     dim_t vocabulary, dim_t context, Metadata metadata) {
  SafetensorsWriter writer;
  writer.metadata = std::move(metadata);
  writer.metadata["state_of"] = identity_of(decoder.weights);
  writer.metadata["sequences"] = std::to_string(batch);
  write_bundle(writer, "state.", decoder.state);
  if (!decoder.logits.empty()) writer.add("logits", {batch, vocabulary}, std::span<const float>(decoder.logits));
  if (context > 0)
    writer.add("seen", {dim_t(decoder.seen.size()) / batch, batch}, std::span<const std::int32_t>(decoder.seen));
  writer.write(path);
}

[[gnu::cold]] inline void load_state(const TensorSource& source, const DecoderMemory& decoder, dim_t batch,
                                     dim_t vocabulary, dim_t context) {
  expect_state_of(source, identity_of(decoder.weights), batch);
  BundleReader reader(source, "state.");
  reader.add("state.", decoder.state);
  reader.read(OnNonFinite::refuse);
  decoder.logits.clear();
  if (const TensorInfo* const logits = source.find("logits"); logits != nullptr) {
    if (const dim_t at = first_nonfinite(source, *logits); at >= 0)
      throw Error(source.path(), ": logits: expected finite numbers, found NaN or an infinity at place ", at,
                  "; the file is damaged, or the model had diverged: read the prompt again");
    decoder.logits.resize(std::size_t(batch * vocabulary));
    source.read("logits", std::vector<dim_t>{batch, vocabulary}, std::span(decoder.logits));
  }
  if (context > 0) decoder.seen = read_seen(source, batch, context, vocabulary);
  expect_counts(source, decoder.state, batch, dim_t(decoder.seen.size()) / batch, context > 0);
}

/// A Decoder's are of its own type, those of an AnyDecoder of any.
template <class Net, Backend B>
DecoderMemory memory_in(const Decoder<Net, B>& decoder, typename Decoder<Net, B>::Snapshot& snapshot) {
  return memory_of(decoder, snapshot);
}
inline DecoderMemory memory_in(const AnyDecoder& decoder, std::any& snapshot) {
  return decoder.memory(snapshot);
}
/// One that has read nothing.
template <class Net, Backend B>
typename Decoder<Net, B>::Snapshot fresh_snapshot(const Decoder<Net, B>& decoder) {
  return {Model<Net, B>::fresh_state(decoder.batch()), {}, {}};
}
inline std::any fresh_snapshot(const AnyDecoder& decoder) {
  const auto fresh = decoder.clone();
  fresh->reset();
  return fresh->snapshot();
}
}  // namespace detail

/// Writes all that a decoder's next tokens depend on, so that a prompt need not be read again: a safetensors file of
/// the state, the logits, the tokens of a limited context, and which weights it is of. Whole or not at all, see
/// AtomicFile. D is a Decoder or AnyDecoder; a Generator has one.
template <class D>
requires requires(const D& decoder) {
  decoder.snapshot();
}
void save_state(const std::string& path, const D& decoder, const Metadata& metadata = {}) {
  auto snapshot = decoder.snapshot();
  detail::save_state(path, detail::memory_in(decoder, snapshot), decoder.batch(), decoder.vocabulary(),
                     decoder.context(), metadata);
}

/// Goes on from what save_state wrote, in the same model and batch: the next logits are the same. Also reads the tuned
/// states of RWKV-6 and 7, see has_tuned_state: every sequence then begins with that state, and there are no logits.
/// Returns the file's metadata. Error for the state of other weights, another batch, or a damaged file; the decoder
/// then stays as it was.
template <class D>
Metadata load_state(const TensorSource& source, D& decoder) {
  const bool tuned = has_tuned_state(source);
  auto snapshot = tuned ? detail::fresh_snapshot(decoder) : decoder.snapshot();
  const DecoderMemory memory = detail::memory_in(decoder, snapshot);
  if (tuned)
    read_tuned_state(source, memory.state);
  else
    detail::load_state(source, memory, decoder.batch(), decoder.vocabulary(), decoder.context());
  decoder.restore(snapshot);
  return source.metadata();
}
template <class D>
Metadata load_state(const std::string& path, D& decoder) {
  return load_state(*open_source(path), decoder);
}

}  // namespace rwkv
