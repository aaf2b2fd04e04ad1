// Which key tiles the query tiles of a flash-style attention kernel visit: exact counts without visiting each tile.
//
// Rows of one problem are (position, head of the group) with the head fastest: `packed` query heads that share a KV
// head are worked on by one tile. A query tile runs from the key tile that holds the first key any of its rows sees to
// the one that holds the last.
#pragma once

#include <cstdint>

namespace mlosim::chip {

struct QueryProblem {
  std::int64_t seq_q = 1, seq_kv = 1;
  std::int64_t packed = 1;
  bool causal = true;
  std::int64_t window = 0;  // keys that a row sees at most; 0 = no limit
};

struct KeyTiles {
  std::int64_t query_tiles = 0;
  std::int64_t visits = 0;    // key tiles over all query tiles
  std::int64_t heaviest = 0;  // key tiles of the heaviest query tile
};

// `rows` × `cols` are the tile's queries and keys. Takes O(log(seq_q)) steps.
KeyTiles count_key_tiles(const QueryProblem& problem, std::int64_t rows, std::int64_t cols);

// The key tiles [first, end) that query tile `tile` visits; empty where its rows see no key.
struct KeyRange {
  std::int64_t first = 0, end = 0;

  std::int64_t count() const { return end - first; }
};
KeyRange key_range_of(const QueryProblem& problem, std::int64_t rows, std::int64_t cols, std::int64_t tile);

// Σ ⌊(a·i + b)/m⌋ over 0 ≤ i < n, for a, b ≥ 0 and m ≥ 1, by Euclid's algorithm.
std::int64_t floor_sum(std::int64_t n, std::int64_t m, std::int64_t a, std::int64_t b);

}  // namespace mlosim::chip
