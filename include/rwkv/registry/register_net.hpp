#pragma once
#include <rwkv/registry/registered_net.hpp>

namespace rwkv {
namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void no_such_machine(const std::string& type, const char* missing) {
  throw Error(type, " was compiled without ", missing);
}

/// f.operator()<B>() with the machine, where the net was compiled for it.
template <class... Precisions, class F>
auto on_machine(const std::string& type, const Machine& machine, const F& f) {
  constexpr bool fp32 = (std::is_same_v<Precisions, float> || ...),
                 bf16 = (std::is_same_v<Precisions, rwkv::bf16> || ...);
  const auto with = [&]<class T>() {
    if constexpr (built_with_gpu)
      if (machine.device == Machine::Device::gpu) return f.template operator()<GpuIfBuilt<T>>();
    return f.template operator()<Cpu<T>>();
  };
  if (machine.device == Machine::Device::gpu && !built_with_gpu)
    no_such_machine(type, "CUDA; build it with a CUDA Toolkit, by cmake --preset cuda, or use the cpu");
  if constexpr (bf16)
    if (machine.precision == Machine::Precision::bf16) return with.template operator()<rwkv::bf16>();
  if constexpr (fp32)
    if (machine.precision == Machine::Precision::fp32) return with.template operator()<float>();
  no_such_machine(type, fp32 ? "bf16; add bf16 to its PRECISIONS in rwkv_models"
                             : "fp32; add fp32 to its PRECISIONS in rwkv_models");
}

template <class Net>
constexpr const Family* family_of() {
  if constexpr (requires { Net::family; })
    return &Net::family;
  else
    return nullptr;
}

}  // namespace detail

/// Lists Net under its type's name, for the precisions named: float, bf16 or both. One static object in one unit:
///   const RegisterNet<v4::Model<256, 128, 4>, float, bf16> net("v4::Model<256, 128, 4>");
template <class Net, class... Precisions>
class RegisterNet {
 public:
  explicit RegisterNet(const char* type)
      : net_{type,
             detail::family_of<Net>(),
             vocabulary<Net>,
             context_length<Net>,
             parameters<Net>(),
             flops_per_token<Net>(),
             [] { return list_leaves<Cpu<float>, typename Net::template Params<Cpu<float>>>(); },
             &make,
             &sizes} {
    detail::registry().push_back(&net_);
  }
  RegisterNet(const RegisterNet&) = delete;
  RegisterNet& operator=(const RegisterNet&) = delete;
  ~RegisterNet() { std::erase(detail::registry(), &net_); }

 private:
  static std::unique_ptr<AnyModel> make(const RegisteredNet& net, const Machine& machine, const NewModel& as) {
    return detail::on_machine<Precisions...>(net.type, machine, [&]<class B>() -> std::unique_ptr<AnyModel> {
      return std::make_unique<detail::ModelOf<Net, B>>(net, as);
    });
  }
  static std::pair<std::vector<Leaf>, detail::SummarySizes> sizes(const Machine& machine, Seq seq) {
    return detail::on_machine<Precisions...>("this net", machine, [&]<class B>() {
      return std::pair(list_leaves<B, typename Net::template Params<B>>(), detail::summary_sizes<Net, B>(seq));
    });
  }

  RegisteredNet net_;
};

}  // namespace rwkv
