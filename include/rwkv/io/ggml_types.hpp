#pragma once
#include <cstdint>
#include <iterator>
#include <string_view>

#include <rwkv/io/dtype.hpp>

namespace rwkv::detail {

/// How tensors of GGUF files are stored, by ggml's code.
struct GgmlType {
  std::string_view name;       ///< empty where there never was one
  Dtype dtype = Dtype::other;  ///< or one that we do not read
};
inline constexpr GgmlType ggml_types[] = {{"F32", Dtype::f32},
                                          {"F16", Dtype::f16},
                                          {"Q4_0", Dtype::q4_0},
                                          {"Q4_1", Dtype::q4_1},
                                          {"Q4_2"},
                                          {"Q4_3"},
                                          {"Q5_0", Dtype::q5_0},
                                          {"Q5_1", Dtype::q5_1},
                                          {"Q8_0", Dtype::q8_0},
                                          {"Q8_1"},
                                          {"Q2_K"},
                                          {"Q3_K"},
                                          {"Q4_K", Dtype::q4_k},
                                          {"Q5_K", Dtype::q5_k},
                                          {"Q6_K", Dtype::q6_k},
                                          {"Q8_K"},
                                          {"IQ2_XXS"},
                                          {"IQ2_XS"},
                                          {"IQ3_XXS"},
                                          {"IQ1_S"},
                                          {"IQ4_NL"},
                                          {"IQ3_S"},
                                          {"IQ2_S"},
                                          {"IQ4_XS"},
                                          {"I8", Dtype::i8},
                                          {"I16", Dtype::i16},
                                          {"I32", Dtype::i32},
                                          {"I64", Dtype::i64},
                                          {"F64", Dtype::f64},
                                          {"IQ1_M"},
                                          {"BF16", Dtype::bf16},
                                          {"Q4_0_4_4"},
                                          {"Q4_0_4_8"},
                                          {"Q4_0_8_8"},
                                          {"TQ1_0"},
                                          {"TQ2_0"},
                                          {"IQ4_NL_4_4"},
                                          {"IQ4_NL_4_8"},
                                          {"IQ4_NL_8_8"},
                                          {"MXFP4"},
                                          {"NVFP4"},
                                          {"Q1_0"}};

inline GgmlType ggml_type(std::uint32_t code) {
  return code < std::size(ggml_types) ? ggml_types[code] : GgmlType{};
}

}  // namespace rwkv::detail
