// A monotone priority queue of 16-byte entries: a hierarchical timing wheel, which is a radix heap of base 64.
//
// An entry lies at the level of the highest base-64 digit in which its time differs from `base`, in the bucket of that
// digit. When the lowest levels are empty, `base` moves into the first bucket and the bucket is spread over the levels
// below it. Spreading keeps order, so entries of one time leave in the order in which they came: no sequence number is
// stored. Cost per entry: a few sequential moves, whatever the number of entries and their distribution.
//
// It is not an event queue: it knows no phases and no current time. Used by EventQueue alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mlosim::event {

class Wheel {
 public:
  // A handle is the address of a record; its three lowest bits are free for the caller. Records are prefetched before
  // they are due, and never read here.
  using Handle = std::uint64_t;

  Wheel() = default;
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;

  bool empty() const { return levels_ == 0; }

  // Requires: time is not before the time last taken, nor before the limit of a take that found nothing.
  void push(std::uint64_t time, Handle handle) { place({time, handle}); }

  // Takes the earliest entry if few share its bucket, as is usual when times are sparse, and if it is due by `limit`
  // and alone at its time. False says nothing about what is pending: ask take.
  bool take_sparse(std::uint64_t limit, Handle& handle, std::uint64_t& time);

  enum class Found : std::uint8_t {
    nothing,  // no entry has a time <= limit
    batch,    // the handles of the earliest time, appended to `out` in the order of their pushes; `time` is set
    spread,   // the earliest entries now lie in finer buckets: ask again, take_sparse first
  };
  Found take(std::uint64_t limit, std::vector<Handle>& out, std::uint64_t& time);

  // Allows any time >= `time` again. Requires: empty().
  void restart(std::uint64_t time) { base_ = time; }

 private:
  struct Entry {
    std::uint64_t time;
    Handle handle;
  };

  // A bucket holds its first entries itself, so that a short one is one or two cache lines; more are in chunks, which
  // are shared by all buckets. Five lines a bucket: an even number would make buckets compete for the same cache sets.
  static constexpr std::size_t kInlineEntries = 18;
  static constexpr std::size_t kFew = 3;  // measured: best of 2, 3, 4, 6
  static constexpr std::size_t kChunkEntries = 63;
  struct alignas(64) Chunk {
    Chunk* next;
    std::array<Entry, kChunkEntries> entries;
  };
  struct alignas(64) Bucket {
    Entry* end = nullptr;  // where the next entry goes
    Entry* limit = nullptr;
    Chunk* first = nullptr;
    Chunk* last = nullptr;
    std::array<Entry, kInlineEntries> entries;

    // take_sparse reads the first few entries whether they are there or not; the rest is left as it is, for speed.
    Bucket() {
      for (std::size_t i = 0; i < kFew; ++i) entries[i] = Entry{};
      end = entries.data();
      limit = end + kInlineEntries;
    }
  };
  static_assert(sizeof(Bucket) == 5 * 64 && sizeof(Chunk) == 16 * 64);

  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kBuckets = 1u << kDigitBits;
  static constexpr unsigned kLevels = (64 + kDigitBits - 1) / kDigitBits;

  void place(Entry entry) {
    const unsigned top_bit = 63u - static_cast<unsigned>(__builtin_clzll((entry.time ^ base_) | 1));
    const unsigned level = top_bit / kDigitBits;
    const unsigned digit = static_cast<unsigned>(entry.time >> (level * kDigitBits)) % kBuckets;
    Bucket& bucket = buckets_[level * kBuckets + digit];
    if (bucket.end == bucket.limit) [[unlikely]]
      add_chunk(bucket);
    *bucket.end++ = entry;
    digits_[level] |= std::uint64_t{1} << digit;
    levels_ |= 1u << level;
  }

  void mark_empty(unsigned level) {
    digits_[level] &= digits_[level] - 1;
    levels_ ^= static_cast<std::uint32_t>(digits_[level] == 0) << level;
  }

  template <class Visit>
  static void for_each_entry(const Bucket& bucket, Visit&& visit);
  void spread(unsigned level, Bucket& bucket);
  void clear(Bucket& bucket);
  void add_chunk(Bucket& bucket);
  void allocate_chunks();

  std::uint64_t base_ = 0;
  std::uint32_t levels_ = 0;                     // bit l: some bucket of level l is not empty
  std::array<std::uint64_t, kLevels> digits_{};  // bit d of level l: bucket d is not empty
  std::unique_ptr<Bucket[]> buckets_ = std::make_unique<Bucket[]>(kLevels * kBuckets);
  Chunk* free_ = nullptr;
  std::vector<std::unique_ptr<Chunk[]>> slabs_;
};

inline bool Wheel::take_sparse(std::uint64_t limit, Handle& handle, std::uint64_t& time) {
  if (levels_ == 0) return false;
  const unsigned level = static_cast<unsigned>(__builtin_ctz(levels_));
  const unsigned digit = static_cast<unsigned>(__builtin_ctzll(digits_[level]));
  Bucket& bucket = buckets_[level * kBuckets + digit];
  const std::uintptr_t bytes =
      reinterpret_cast<std::uintptr_t>(bucket.end) - reinterpret_cast<std::uintptr_t>(bucket.entries.data());
  if (bytes > kFew * sizeof(Entry)) return false;  // as it is when the end lies in a chunk
  const std::size_t count = bytes / sizeof(Entry);
  // How many there are and which is first cannot be predicted: from here on, no branch depends on it.
  std::uint64_t least = bucket.entries[0].time;
  std::size_t place = 0;
  bool is_tie = false;
  for (std::size_t i = 1; i < kFew; ++i) {
    const std::uint64_t other = i < count ? bucket.entries[i].time : ~std::uint64_t{0};
    is_tie = (other == least) | (is_tie & (other >= least));
    place = other < least ? i : place;
    least = other < least ? other : least;
  }
  if (is_tie | (least > limit)) return false;
  time = least;
  handle = bucket.entries[place].handle;
  for (std::size_t i = 0; i + 1 < kFew; ++i) bucket.entries[i] = bucket.entries[i + (i >= place)];
  --bucket.end;
  // base may enter the bucket only when nothing is left in it.
  const bool is_last = count == 1;
  base_ = is_last ? least : base_;
  digits_[level] &= ~(std::uint64_t{is_last} << digit);
  levels_ ^= static_cast<std::uint32_t>(digits_[level] == 0) << level;
  return true;
}

}  // namespace mlosim::event
