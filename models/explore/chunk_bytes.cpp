// Chunks and their results as bytes: numbers as they lie in memory, lists with their length in front.

#include <cstring>
#include <type_traits>

#include "models/explore/chunk.hpp"

namespace mlosim::explore {
namespace {

class Writer {
 public:
  template <class T>
  void add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* bytes = reinterpret_cast<const char*>(&value);
    bytes_.append(bytes, sizeof value);
  }
  void add(const std::string& text) {
    add(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  void add(const std::vector<double>& numbers) {
    add(static_cast<std::uint64_t>(numbers.size()));
    for (const double number : numbers) add(number);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, raw(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(raw(number<std::uint64_t>())); }
  std::vector<double> numbers() {
    const auto count = number<std::uint64_t>();
    if (count > bytes_.size() / sizeof(double)) refuse();
    std::vector<double> list(count);
    for (double& value : list) value = number<double>();
    return list;
  }
  bool is_at_end() const { return bytes_.empty(); }
  [[noreturn]] static void refuse() {
    throw spec::InputError("the store of the study is damaged", "remove it and start again");
  }

 private:
  std::string_view raw(std::uint64_t size) {
    if (size > bytes_.size()) refuse();
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }

  std::string_view bytes_;
};

}  // namespace

std::string encode_result(const ChunkResult& result) {
  Writer w;
  w.add(result.points);
  w.add(result.feasible);
  w.add(static_cast<std::uint64_t>(result.reasons.size()));
  for (const auto& [reason, count] : result.reasons) {
    w.add(reason);
    w.add(count);
  }
  w.add(static_cast<std::uint64_t>(result.kept.size()));
  for (const Point& point : result.kept) {
    w.add(point.number);
    w.add(point.at);
    w.add(point.derived);
    w.add(point.metrics);
    w.add(point.objectives);
    w.add(point.reason);
  }
  return w.take();
}

ChunkResult decode_result(std::string_view bytes) {
  Reader r(bytes);
  ChunkResult result;
  result.points = r.number<std::uint64_t>();
  result.feasible = r.number<std::uint64_t>();
  for (auto left = r.number<std::uint64_t>(); left > 0; --left) {
    std::string reason = r.text();
    result.reasons[std::move(reason)] = r.number<std::uint64_t>();
  }
  for (auto left = r.number<std::uint64_t>(); left > 0; --left) {
    Point& point = result.kept.emplace_back();
    point.number = r.number<std::uint64_t>();
    point.at = r.numbers();
    point.derived = r.numbers();
    point.metrics = r.numbers();
    point.objectives = r.numbers();
    point.reason = r.text();
  }
  if (!r.is_at_end()) Reader::refuse();
  return result;
}

std::string encode_chunk(std::uint64_t number, const Chunk& chunk) {
  Writer w;
  w.add(number);
  w.add(chunk.first);
  w.add(chunk.last);
  w.add(chunk.coordinates);
  return w.take();
}

Chunk decode_chunk(std::string_view bytes, std::uint64_t& number) {
  Reader r(bytes);
  number = r.number<std::uint64_t>();
  Chunk chunk;
  chunk.first = r.number<std::uint64_t>();
  chunk.last = r.number<std::uint64_t>();
  chunk.coordinates = r.numbers();
  return chunk;
}

}  // namespace mlosim::explore
