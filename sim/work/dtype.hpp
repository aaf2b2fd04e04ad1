// Number formats of tensors: bits, block scales, and which arithmetic they run on.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "sim/units/quantity.hpp"

namespace mlosim::work {

enum class DType { fp64, fp32, tf32, bf16, fp16, fp8, fp8_block, mxfp8, int8, nvfp4, mxfp4, int4 };

inline constexpr std::array kDTypes{DType::fp64, DType::fp32,  DType::tf32,      DType::bf16,
                                    DType::fp16, DType::fp8,   DType::fp8_block, DType::mxfp8,
                                    DType::int8, DType::nvfp4, DType::mxfp4,     DType::int4};

// The names that users write; `dtype_words` is the list a decoder offers.
inline constexpr std::array<std::pair<std::string_view, DType>, 12> kDTypeNames{{{"fp64", DType::fp64},
                                                                                 {"fp32", DType::fp32},
                                                                                 {"tf32", DType::tf32},
                                                                                 {"bf16", DType::bf16},
                                                                                 {"fp16", DType::fp16},
                                                                                 {"fp8", DType::fp8},
                                                                                 {"fp8_block", DType::fp8_block},
                                                                                 {"mxfp8", DType::mxfp8},
                                                                                 {"int8", DType::int8},
                                                                                 {"nvfp4", DType::nvfp4},
                                                                                 {"mxfp4", DType::mxfp4},
                                                                                 {"int4", DType::int4}}};

std::string_view name_of(DType dtype);

// Bytes of one element in memory, block scales included: nvfp4 has one 8-bit scale per 16 elements (0.5625 B), mxfp4
// and mxfp8 one per 32 (0.53125 B, 1.03125 B), fp8_block a 32-bit one per 128 (1.03125 B), int4 weights one 16-bit
// scale per 128 (0.515625 B). tf32 is stored as fp32.
Bytes bytes_per_element(DType dtype);

// The format that the matrix unit multiplies in where a chip lists none of its own for `dtype`: mxfp8 and fp8_block run
// as fp8.
DType arithmetic_of(DType dtype);

// True for formats of at most 8 bits, whose activations a stack has to quantise first.
bool is_quantised(DType dtype);

}  // namespace mlosim::work
