// The commands of mlosim, one file each. A command declares its options on the application; when it was chosen, `run`
// does the work and answers the exit code. Errors come out as spec::InputError (exit code 2) or InternalError (3).
#pragma once

#include <functional>
#include <memory>

#include "sim/spec/library.hpp"

namespace CLI {
class App;
}

namespace mlosim::cli {

inline constexpr int kDone = 0;
inline constexpr int kAnswerIsNo = 1;
inline constexpr int kWrongInput = 2;
inline constexpr int kOurBug = 3;

using Run = std::function<int(const spec::Library&)>;

Run add_predict(CLI::App& app);
Run add_explain(CLI::App& app);
Run add_compare(CLI::App& app);
Run add_explore(CLI::App& app);
Run add_list(CLI::App& app);
Run add_show(CLI::App& app);
Run add_check(CLI::App& app);
Run add_validate(CLI::App& app);
Run add_calibrate(CLI::App& app);

}  // namespace mlosim::cli
