// The operators around latent attention that a benchmark of the whole attention layer times with it: the products with
// the up-projections of keys and values, and the copies that put keys and values together. Used by predict_row.
#pragma once

#include <vector>

#include "sim/work/operator.hpp"

namespace mlosim::compare {

// Prompts expand the latent rows of all heads ([tokens, kv_rank] × [kv_rank, heads·(nope + value)]) and copy the keys
// and values; a decode step multiplies the queries into the latent space and the results out of it, head by head. Empty
// for other operators.
std::vector<work::Operator> operators_around_latent_attention(const work::Operator& op);

}  // namespace mlosim::compare
