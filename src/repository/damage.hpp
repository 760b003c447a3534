#pragma once

#include <string>
#include <string_view>

#include "base/failure.hpp"

namespace howdah::repository {

/// Failure(operation) "object NAME is damaged: what".
[[noreturn]] void throw_damaged(const std::string& name, std::string_view what);

}  // namespace howdah::repository
