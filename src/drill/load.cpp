#include "drill/load.hpp"

namespace howdah::drill {

namespace {

constexpr double kStatementsPerSecond = 120;

}  // namespace

Load::Load(const std::string& conninfo, std::uint32_t seed)
    : result_(std::async(std::launch::async, [this, conninfo, seed] {
          const sample::WorkloadOptions options{
              .connections = 2, .seed = seed, .mix = sample::Mix::all, .duration = {}, .statements = {}, .rate = kStatementsPerSecond};
          return sample::run_workload(conninfo, options, stop_);
      })) {}

sample::WorkloadResult Load::stop() {
    stop_.request();
    return result_.get();
}

}  // namespace howdah::drill
