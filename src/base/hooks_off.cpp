#include "base/hooks.hpp"

namespace howdah::base {

void fault_point(std::string_view) {}
void pause_point(std::string_view, std::string_view) {}
bool guard(std::string_view) { return true; }

}  // namespace howdah::base
