#pragma once
#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/training/any_trainer.hpp>
#include <rwkv/training/expect_equal.hpp>
#include <rwkv/training/run_config.hpp>

namespace rwkv {

namespace detail {
/// What the model's own metadata say of its run; the rest of them may say anything.
inline constexpr const char* identifying_metadata[] = {"net", "tokenizer", "vocabulary"};
}  // namespace detail

/// Everything that decides the numbers of a run: the net and its tokenizer, the trainer's recipe, the tokens of the
/// text and of the validation text, and how they are cut into batches. A checkpoint holds it, and a run with another
/// one does not resume from it. Not in it, and free to change on purpose when a run resumes: the number of steps (where
/// the learning rate's curve does not depend on it), the intervals of validation and saving, threads, the machine,
/// whose roundings may then differ, and the names of folder and texts. Reads both texts once.
[[gnu::cold]] inline Settings run_identity(const AnyTrainer& trainer, const Batches& source,
                                           const std::optional<Batches>& valid, const RunConfig& run) {
  Settings all;
  for (const char* key : detail::identifying_metadata)
    if (const auto found = run.metadata.find(key); found != run.metadata.end()) all.emplace_back(*found);
  const auto add = [&](const Settings& more, const std::string& of = {}) {
    for (const auto& [name, value] : more) all.emplace_back(of + name, value);
  };
  add(run.settings), add(source.settings()), add(trainer.settings());
  if (valid) add(valid->settings(), "validation_"), add({{"validation_length", std::to_string(run.valid_batches)}});
  return all;
}

namespace detail {

/// What messages call a setting.
inline const std::string& word_for(const std::string& name, const RunConfig& run) {
  const auto word = run.words.find(name);
  return word == run.words.end() ? name : word->second;
}

/// How a checkpoint's metadata calls a setting.
inline std::string identity_key(const std::string& name) {
  const bool known = std::ranges::find(identifying_metadata, name) != std::end(identifying_metadata);
  return known ? name : "run." + name;
}

/// What differs, in words; empty for the same run.
[[gnu::cold]] inline std::string differences(const Metadata& saved, const Settings& identity, const RunConfig& run) {
  std::string text;
  Settings said;
  const auto compare = [&](const std::string& name, const std::string& theirs, const std::string& ours) {
    const std::string& called = word_for(name, run);
    const bool again = std::ranges::any_of(said, [&](const auto& one) { return one.first == called; });
    if (theirs == ours || again) return;
    said.emplace_back(called, ours);
    const auto shown = [](const std::string& value) {
      return value.size() <= 60 ? value : "another of " + std::to_string(value.size()) + " bytes";
    };
    text += (text.empty() ? "" : ", ") + called + ": the run has " + shown(theirs) + ", found " + shown(ours);
  };
  Metadata rest = saved;
  for (const auto& [name, value] : identity) {
    const auto found = rest.find(identity_key(name));
    compare(name, found == rest.end() ? "nothing" : found->second, value);
    if (found != rest.end()) rest.erase(found);
  }
  rest.erase(identity_key("processes"));  // whatever number of them made it
  for (const auto& [key, value] : rest)
    if (key.starts_with(identity_key(""))) compare(key.substr(identity_key("").size()), value, "nothing");
  return text;
}

}  // namespace detail

/// Error that names what differs, with both values, unless a run of that identity made the checkpoint. One that was not
/// saved by `fit` says nothing of its run: false, and nothing was compared.
[[gnu::cold]] inline bool expect_same_run(const SafetensorsFile& checkpoint, const Settings& identity,
                                          const RunConfig& run) {
  const Metadata& saved = checkpoint.metadata();
  const auto first = saved.lower_bound(detail::identity_key(""));
  if (first == saved.end() || !first->first.starts_with(detail::identity_key(""))) return false;
  const std::string text = detail::differences(saved, identity, run);
  if (text.empty()) return true;
  throw Error(checkpoint.path(), ": ", text,
              "; a run goes on with what it began with, or starts afresh in another folder");
}

/// Error that names what differs, in all ranks, unless they were all given the same run.
[[gnu::cold]] inline void expect_same_run(AnyTrainer& trainer, const Settings& identity, const RunConfig& run) {
  Settings all{{"steps", std::to_string(run.steps)},
               {"valid_every", std::to_string(run.valid_every)},
               {"save_every", std::to_string(run.save_every)},
               {"resume", run.resume ? "yes" : "no"},
               {"sharded", trainer.sharded() ? "yes" : "no"}};
  all.insert(all.end(), identity.begin(), identity.end());
  std::string own;
  for (const auto& [name, value] : all) own += name + "\n";
  std::vector<std::string> names;  // of all ranks: some may have one that others lack
  for (const std::string& theirs : trainer.ranks().gather_texts(own)) {
    std::istringstream lines(theirs);
    for (std::string name; std::getline(lines, name);)
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  for (const std::string& name : names) {
    const auto found = std::ranges::find(all, name, [](const auto& one) { return one.first; });
    expect_equal(trainer.ranks(), detail::word_for(name, run), found == all.end() ? "nothing" : found->second);
  }
}

}  // namespace rwkv
