#include "sim/chip/key_tiles.hpp"

#include <algorithm>

namespace mlosim::chip {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The causal, possibly windowed problem. Position p sees the keys [p + shift − window + 1, p + shift], those below 0
// left out.
class CausalTiles {
 public:
  CausalTiles(const QueryProblem& problem, std::int64_t rows, std::int64_t cols)
      : rows_(rows),
        cols_(cols),
        packed_(problem.packed),
        all_rows_(problem.seq_q * problem.packed),
        shift_(problem.seq_kv - problem.seq_q),
        window_(problem.window > 0 ? problem.window : problem.seq_kv + problem.seq_q),
        tiles_(ceil_div(all_rows_, rows)) {}

  KeyTiles count() const {
    // From tile `open` on, the last row sees a key; from tile `slide` on, the first row no longer sees key 0.
    const std::int64_t open = shift_ >= 0 ? 0 : std::min(tiles_ - 1, (-shift_ * packed_) / rows_);
    const std::int64_t slide = std::clamp(ceil_div(std::max<std::int64_t>(0, packed_ * (window_ - 1 - shift_)), rows_),
                                          std::int64_t(0), tiles_);
    KeyTiles count;
    count.query_tiles = tiles_;
    count.visits = sum_of_ends(open) - sum_of_starts(std::max(open, slide));
    for (const std::int64_t tile : {slide - 1, slide, tiles_ - 2, tiles_ - 1}) {
      if (tile >= 0 && tile < tiles_) count.heaviest = std::max(count.heaviest, end(tile) - start(tile));
    }
    return count;
  }

  KeyRange range(std::int64_t tile) const { return {.first = std::min(start(tile), end(tile)), .end = end(tile)}; }

 private:
  // Key tiles up to the last key that tile i's last row sees.
  std::int64_t end(std::int64_t i) const {
    const std::int64_t last_row = std::min((i + 1) * rows_, all_rows_) - 1;
    return ceil_div(std::max<std::int64_t>(0, last_row / packed_ + shift_ + 1), cols_);
  }
  std::int64_t start(std::int64_t i) const {
    return std::max<std::int64_t>(0, i * rows_ / packed_ + shift_ - window_ + 1) / cols_;
  }

  // ⌈(⌊x/g⌋ + c)/cols⌉ is ⌊(x + g·(c + cols − 1))/(g·cols)⌋: nested floors merge.
  std::int64_t sum_of_ends(std::int64_t first) const {
    const std::int64_t whole = tiles_ - 1 - first;  // the last tile may be cut short
    const std::int64_t offset = (first + 1) * rows_ - 1 + packed_ * (shift_ + cols_);
    return floor_sum(whole, packed_ * cols_, rows_, offset) + end(tiles_ - 1);
  }
  std::int64_t sum_of_starts(std::int64_t first) const {
    return floor_sum(tiles_ - first, packed_ * cols_, rows_, first * rows_ + packed_ * (shift_ - window_ + 1));
  }

  std::int64_t rows_, cols_, packed_, all_rows_, shift_, window_, tiles_;
};

}  // namespace

std::int64_t floor_sum(std::int64_t n, std::int64_t m, std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  while (n > 0) {
    sum += (a / m) * (n * (n - 1) / 2) + (b / m) * n;
    a %= m;
    b %= m;
    const std::int64_t top = a * n + b;
    if (top < m) break;
    n = top / m;
    b = top % m;
    std::swap(a, m);
  }
  return sum;
}

KeyTiles count_key_tiles(const QueryProblem& problem, std::int64_t rows, std::int64_t cols) {
  if (problem.causal) return CausalTiles(problem, rows, cols).count();
  const std::int64_t seen = problem.window > 0 ? std::min(problem.window, problem.seq_kv) : problem.seq_kv;
  const std::int64_t tiles = ceil_div(problem.seq_q * problem.packed, rows);
  return {.query_tiles = tiles, .visits = tiles * ceil_div(seen, cols), .heaviest = ceil_div(seen, cols)};
}

KeyRange key_range_of(const QueryProblem& problem, std::int64_t rows, std::int64_t cols, std::int64_t tile) {
  if (problem.causal) return CausalTiles(problem, rows, cols).range(tile);
  const std::int64_t seen = problem.window > 0 ? std::min(problem.window, problem.seq_kv) : problem.seq_kv;
  return {.first = 0, .end = ceil_div(seen, cols)};
}

}  // namespace mlosim::chip
