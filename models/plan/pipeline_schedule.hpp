// In which order the ranks of a pipeline run the forward and backward passes of their micro-batches.
//
// A model is cut into stages; a rank holds one or more of them, its chunks. A schedule knows no times: pipeline_program
// puts them in, sim/machine plays them, pipeline_time estimates them in closed form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlosim::plan {

enum class ScheduleKind {
  gpipe,        // all forwards, then all backwards (Huang et al. 2019)
  one_f_one_b,  // PipeDream-flush: a rank keeps at most pp - rank micro-batches (Narayanan et al. 2021)
  interleaved,  // 1F1B over `virtual_stages` chunks a rank, depth first, as Megatron orders them
  zero_bubble,  // weight gradients fill what would be bubbles (Qi et al. 2023, 2024)
  dualpipe,     // micro-batches enter at both ends, forward and backward overlap (DeepSeek-V3 2024)
};

// What a zero-bubble schedule spends on memory, in activations of 1F1B's fullest rank.
enum class ZeroBubble {
  h1,      // 1: as 1F1B
  h2,      // 2
  v,       // 1, two chunks a rank, of which the second runs back through the ranks
  v_half,  // 1/2, likewise
  v_min,   // 1/3, likewise
};

struct ScheduleShape {
  ScheduleKind kind = ScheduleKind::one_f_one_b;
  std::int64_t pp = 1;
  std::int64_t micro_batches = 1;   // of one replica and step
  std::int64_t virtual_stages = 1;  // chunks a rank; of `interleaved` alone
  ZeroBubble zero_bubble = ZeroBubble::h1;

  // Chunks that a rank holds, and stages that the layers are cut into. Under dualpipe a rank holds two chunks but both
  // directions run through the same pp stages: each rank keeps the parameters of two.
  std::int64_t chunks() const;
  std::int64_t stages() const;
  // Which stage chunk `chunk` of rank `rank` is.
  std::int64_t stage_of(std::int64_t rank, std::int64_t chunk) const;
  // Whether the stage after `stage` is on another rank, and how many are.
  bool crosses_after(std::int64_t stage) const;
  std::int64_t crossings() const;
  // Ranks that hold each stage.
  std::int64_t copies() const { return kind == ScheduleKind::dualpipe ? 2 : 1; }
  // Whether one rank holds both the first and the last stage.
  bool joins_ends() const;
  bool operator==(const ScheduleShape&) const = default;
};

enum class ChunkPass : std::uint8_t { forward, backward, input_gradient, weight_gradient };  // backward: both gradients

struct ChunkTask {
  ChunkPass pass = ChunkPass::forward;
  bool with_next = false;  // overlaps the task that follows (dualpipe)
  std::int32_t micro_batch = 0;
  std::int32_t chunk = 0;
};

struct Schedule {
  ScheduleShape shape;
  std::vector<std::vector<ChunkTask>> order;  // of each rank
};

// A mistake in a shape: which key of `parallelism:` it is about, a sentence, a hint.
struct ShapeMistake {
  std::string key;  // "pp", "virtual_stages", "micro_batches", "schedule"
  std::string message;
  std::string hint;
};
// `layers`: of the model, 0 where nothing need be said of them. They must divide over the stages, but that the last
// stage, or the last and the first, may have one less: head and embedding are work too.
std::vector<ShapeMistake> check_schedule(const ScheduleShape& shape, std::int64_t layers);

// Requires: check_schedule finds nothing.
Schedule make_schedule(const ScheduleShape& shape);

// Forwards of `interleaved` that a rank does before it takes turns with backwards: Megatron's count.
std::int64_t interleaved_warm_up(const ScheduleShape& shape, std::int64_t rank);

// Passes of a chunk that the first rank does, at least, between the first forward pass of that chunk and of the next;
// and between the last backward pass of the next and of that chunk. In time: while it waits there, others do them.
struct PassesBetween {
  std::int64_t forwards = 0, backwards = 0;
};
PassesBetween passes_between_chunks(const ScheduleShape& shape);

// Most chunks of micro-batches that a rank has at once. One chunk is 1 / chunks() of its layers.
struct InFlight {
  std::int64_t held = 0;     // from their forward to their (weight) gradient
  std::int64_t put_off = 0;  // from their input gradient to their weight gradient, where the two are parted
};

// Of each rank. In closed form for gpipe, 1F1B (min(m, pp - rank)) and interleaved (a forward more than its warm-up);
// counted in the schedule for the others.
std::vector<InFlight> peak_in_flight(const ScheduleShape& shape);

}  // namespace mlosim::plan
