#pragma once
#include <string_view>

#include <rwkv/io/dtype.hpp>

namespace rwkv::detail {

/// What a name in a pickle of torch.save stands for.
enum class TorchRole { dictionary, tensor, parameter, subclass, size, value, type, storage };
struct TorchName {
  std::string_view module, name;
  TorchRole role;
  Dtype dtype = Dtype::other;  ///< of a storage's scalars, or that a type of numbers is
};

/// All that such a pickle may name: what dictionaries of tensors are made of. None of them runs anything of the file's.
inline constexpr TorchName torch_names[] = {{"collections", "OrderedDict", TorchRole::dictionary},
                                            {"torch._utils", "_rebuild_tensor_v2", TorchRole::tensor},
                                            {"torch._utils", "_rebuild_tensor_v3", TorchRole::tensor},
                                            {"torch._utils", "_rebuild_tensor", TorchRole::tensor},
                                            {"torch._utils", "_rebuild_parameter", TorchRole::parameter},
                                            {"torch._utils", "_rebuild_parameter_with_state", TorchRole::parameter},
                                            {"torch._tensor", "_rebuild_from_type_v2", TorchRole::subclass},
                                            {"torch", "Size", TorchRole::size},
                                            {"torch", "device", TorchRole::value},
                                            {"_codecs", "encode", TorchRole::value},  // bytes
                                            {"builtins", "bytearray", TorchRole::value},
                                            {"builtins", "complex", TorchRole::value},
                                            {"builtins", "frozenset", TorchRole::value},
                                            {"builtins", "set", TorchRole::value},
                                            {"__builtin__", "bytearray", TorchRole::value},  // of protocol 2
                                            {"__builtin__", "complex", TorchRole::value},
                                            {"__builtin__", "frozenset", TorchRole::value},
                                            {"__builtin__", "set", TorchRole::value},
                                            {"torch", "Tensor", TorchRole::type},
                                            {"torch.nn.parameter", "Parameter", TorchRole::type},
                                            {"torch", "DoubleStorage", TorchRole::storage, Dtype::f64},
                                            {"torch", "FloatStorage", TorchRole::storage, Dtype::f32},
                                            {"torch", "HalfStorage", TorchRole::storage, Dtype::f16},
                                            {"torch", "BFloat16Storage", TorchRole::storage, Dtype::bf16},
                                            {"torch", "ComplexFloatStorage", TorchRole::storage, Dtype::c64},
                                            {"torch", "LongStorage", TorchRole::storage, Dtype::i64},
                                            {"torch", "IntStorage", TorchRole::storage, Dtype::i32},
                                            {"torch", "ShortStorage", TorchRole::storage, Dtype::i16},
                                            {"torch", "CharStorage", TorchRole::storage, Dtype::i8},
                                            {"torch", "ByteStorage", TorchRole::storage, Dtype::u8},
                                            {"torch", "BoolStorage", TorchRole::storage, Dtype::boolean},
                                            {"torch.storage", "UntypedStorage", TorchRole::storage},  // counts bytes
                                            {"torch", "float64", TorchRole::type, Dtype::f64},
                                            {"torch", "float32", TorchRole::type, Dtype::f32},
                                            {"torch", "float16", TorchRole::type, Dtype::f16},
                                            {"torch", "bfloat16", TorchRole::type, Dtype::bf16},
                                            {"torch", "float8_e5m2", TorchRole::type, Dtype::f8_e5m2},
                                            {"torch", "float8_e4m3fn", TorchRole::type, Dtype::f8_e4m3},
                                            {"torch", "float8_e8m0fnu", TorchRole::type, Dtype::f8_e8m0},
                                            {"torch", "float8_e5m2fnuz", TorchRole::type, Dtype::f8_e5m2fnuz},
                                            {"torch", "float8_e4m3fnuz", TorchRole::type, Dtype::f8_e4m3fnuz},
                                            {"torch", "complex64", TorchRole::type, Dtype::c64},
                                            {"torch", "int64", TorchRole::type, Dtype::i64},
                                            {"torch", "int32", TorchRole::type, Dtype::i32},
                                            {"torch", "int16", TorchRole::type, Dtype::i16},
                                            {"torch", "int8", TorchRole::type, Dtype::i8},
                                            {"torch", "uint64", TorchRole::type, Dtype::u64},
                                            {"torch", "uint32", TorchRole::type, Dtype::u32},
                                            {"torch", "uint16", TorchRole::type, Dtype::u16},
                                            {"torch", "uint8", TorchRole::type, Dtype::u8},
                                            {"torch", "bool", TorchRole::type, Dtype::boolean}};

}  // namespace rwkv::detail
