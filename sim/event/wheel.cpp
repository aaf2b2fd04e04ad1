#include "sim/event/wheel.hpp"

#include <algorithm>

namespace mlosim::event {
namespace {

constexpr std::size_t kFirstSlabChunks = 16;
constexpr std::size_t kLargestSlabChunks = 4096;
constexpr unsigned kHighLevel = 3;  // measured: lower costs up to a tenth, higher gains nothing

}  // namespace

template <class Visit>
void Wheel::for_each_entry(const Bucket& bucket, Visit&& visit) {
  const Entry* const inline_end = bucket.first == nullptr ? bucket.end : bucket.entries.data() + kInlineEntries;
  for (const Entry* entry = bucket.entries.data(); entry != inline_end; ++entry) visit(*entry);
  if (bucket.first == nullptr) return;
  for (const Chunk* chunk = bucket.first; chunk != bucket.last; chunk = chunk->next) {
    __builtin_prefetch(chunk->next);
    for (const Entry& entry : chunk->entries) visit(entry);
  }
  for (const Entry* entry = bucket.last->entries.data(); entry != bucket.end; ++entry) visit(*entry);
}

void Wheel::add_chunk(Bucket& bucket) {
  if (free_ == nullptr) allocate_chunks();
  Chunk* const chunk = free_;
  free_ = chunk->next;
  (bucket.first == nullptr ? bucket.first : bucket.last->next) = chunk;
  bucket.last = chunk;
  bucket.end = chunk->entries.data();
  bucket.limit = bucket.end + kChunkEntries;
}

void Wheel::allocate_chunks() {
  const std::size_t count = std::min(kFirstSlabChunks << std::min<std::size_t>(slabs_.size(), 16), kLargestSlabChunks);
  slabs_.push_back(std::unique_ptr<Chunk[]>(new Chunk[count]));
  for (std::size_t i = count; i-- > 0;) {
    slabs_.back()[i].next = free_;
    free_ = &slabs_.back()[i];
  }
}

void Wheel::clear(Bucket& bucket) {
  bucket.end = bucket.entries.data();
  if (bucket.first == nullptr) return;
  bucket.limit = bucket.end + kInlineEntries;
  bucket.last->next = free_;
  free_ = bucket.first;
  bucket.first = nullptr;
}

// Moves the entries of the first bucket to the levels below it; base_ is already inside that bucket.
void Wheel::spread(unsigned level, Bucket& bucket) {
  mark_empty(level);
  // The records of a short or narrow bucket are due before they could leave the cache again.
  if (bucket.first == bucket.last || level == 1) {
    for_each_entry(bucket, [this](const Entry& entry) {
      __builtin_prefetch(reinterpret_cast<const void*>(entry.handle), 1);
      place(entry);
    });
  } else {
    for_each_entry(bucket, [this](const Entry& entry) { place(entry); });
  }
  clear(bucket);
}

Wheel::Found Wheel::take(std::uint64_t limit, std::vector<Handle>& out, std::uint64_t& time) {
  if (levels_ == 0) return Found::nothing;
  const unsigned level = static_cast<unsigned>(__builtin_ctz(levels_));
  const unsigned digit = static_cast<unsigned>(__builtin_ctzll(digits_[level]));
  Bucket& bucket = buckets_[level * kBuckets + digit];
  if (level == 0) {
    const std::uint64_t earliest = bucket.entries[0].time;
    if (earliest > limit) return Found::nothing;
    base_ = time = earliest;
    mark_empty(level);
    for_each_entry(bucket, [&out](const Entry& entry) { out.push_back(entry.handle); });
    clear(bucket);
    return Found::batch;
  }
  // base moves to the first time of the bucket; at a high level, and where the search is short, to the earliest time in
  // it, so that a cluster in a far future comes down at once and not level by level.
  const unsigned shift = level * kDigitBits;
  std::uint64_t start = (((base_ >> shift) & ~std::uint64_t{kBuckets - 1}) | digit) << shift;
  if (level >= kHighLevel && bucket.first == nullptr) {
    start = bucket.entries[0].time;
    for_each_entry(bucket, [&start](const Entry& entry) { start = std::min(start, entry.time); });
  }
  if (start > limit) return Found::nothing;
  base_ = start;
  spread(level, bucket);
  return Found::spread;
}

}  // namespace mlosim::event
