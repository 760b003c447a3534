#pragma once

#include <exception>

#include "base/config.hpp"
#include "base/failure.hpp"

namespace howdah::cli {

/// Exceptions of the standard library in the house's grammar: those of files and of the system with path, reason and hint (kind
/// repository when the path lies in a configured repository, else operation), missing memory, and anything else as a fault of howdah's.
base::Failure as_failure(const std::exception& exception, const base::Config& config);

}  // namespace howdah::cli
