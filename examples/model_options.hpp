#pragma once
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>

#include <rwkv/inference/state_file.hpp>
#include <rwkv/registry/compile_net.hpp>
#include <rwkv/registry/device.hpp>
#include <rwkv/registry/open.hpp>
#include <rwkv/text/saved_tokenizer.hpp>

#include "options.hpp"
#include "tokenizer_fit.hpp"

namespace example {

/// Where a program computes, and whether it compiles a net that it lacks.
struct MachineOptions {
  std::string device = "cpu", precision = "fp32";
  int threads = 0;
  bool compile = false;

  void add(CLI::App& app) {
    app.add_option("--device", device, "cpu or gpu")->check(one_of({"cpu", "gpu"}));
    app.add_option("--precision", precision, "fp32, or bf16 for half the memory")->check(one_of({"fp32", "bf16"}));
    app.add_option("--threads", threads, "0: as many as the machine has")->check(between(0, 1024));
    app.add_flag("--compile", compile, "where this program lacks the net: compile it, once, in half a minute");
  }
  /// The machine, once it has set the threads. Error where there is none.
  rwkv::Machine machine() const {
    const rwkv::Machine machine = rwkv::Machine::named(device, precision);
    expect_device(machine);
    rwkv::set_threads(threads);
    return machine;
  }
  /// What f gives, which may need a net that was not compiled in.
  template <class F>
  decltype(auto) with_nets(const rwkv::Machine& machine, const F& f) const {
    if (compile) return rwkv::compiling(f, machine);
    try {
      return f();
    } catch (const rwkv::MissingNet& missing) {
      throw rwkv::Error(missing.what(), "; or let this program compile it, with --compile");
    }
  }
};

/// How matrices lie in memory.
struct WeightsOptions {
  std::string weights = "own";

  void add(CLI::App& app) {
    app.add_option("--weights", weights,
                   "how matrices are kept: own, as --precision says; as-stored in the file; or as these, rounded")
        ->check(one_of(rwkv::Weights::names));
  }
};

/// Error unless the model knows all tokens of the tokenizer; a line on stderr where it may be another model's.
inline void expect_fits(const rwkv::Tokenizer& tokenizer, const std::string& path, rwkv::dim_t vocabulary,
                        const rwkv::Metadata& metadata) {
  const std::string note = tokenizer_note(tokenizer, path, vocabulary, metadata);
  if (!note.empty()) std::fprintf(stderr, "%s\n", note.c_str());
}

/// A model's file and how it is run.
struct ModelOptions : MachineOptions, WeightsOptions {
  std::string path = "run/model.safetensors", tokenizer, state;

  void add(CLI::App& app) {
    app.add_option("--model", path, "the model's file, in any format and naming that rwkv reads");
    app.add_option("--tokenizer", tokenizer, "the tokenizer's file; without it, that of the model, or one beside it");
    app.add_option("--state", state,
                   "a state to begin with: a tuned one of RWKV-6 or 7, or what write --save-state saved");
    MachineOptions::add(app);
    WeightsOptions::add(app);
  }
  std::unique_ptr<rwkv::AnyModel> open() const { return open(weights); }
  std::unique_ptr<rwkv::AnyModel> open(const std::string& named) const {
    const rwkv::Machine on = machine();
    const auto as = rwkv::Weights::named(named);
    return with_nets(on, [&] { return rwkv::open(path, on, rwkv::OnNonFinite::refuse, as); });
  }
  /// In the state that the options name. The model must outlive it.
  std::unique_ptr<rwkv::AnyDecoder> decoder(const rwkv::AnyModel& model, rwkv::dim_t batch = 1) const {
    auto made = model.decoder(batch);
    if (!state.empty()) load_state(state, *made);
    return made;
  }
  /// Error unless the model knows all its tokens.
  rwkv::Tokenizer open_tokenizer(const rwkv::AnyModel& model) const {
    rwkv::Tokenizer found = rwkv::tokenizer_for(model.metadata(), path, tokenizer);
    expect_fits(found, path, model.net().vocabulary, model.metadata());
    return found;
  }
  /// Error if what `option` names is to be written, but is the model's file, the tokenizer's or one of `others`.
  void expect_not_read(const std::string& option, const std::string& written,
                       std::initializer_list<std::string> others = {}) const {
    namespace fs = std::filesystem;
    std::error_code missing;
    if (!fs::exists(written, missing)) return;
    const auto refuse = [&](const std::string& read) {
      if (fs::equivalent(written, read, missing))
        throw rwkv::Error(option, " ", written, ": is a file that this program reads, and would be replaced; ",
                          "give another name");
    };
    for (const std::string& read : others) refuse(read);
    for (const std::string& read : {path, tokenizer}) {
      refuse(read);
      for (fs::directory_iterator at(read, missing), end; !missing && at != end; at.increment(missing))
        refuse(at->path().string());
    }
  }
};

}  // namespace example
