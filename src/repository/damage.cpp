#include "repository/damage.hpp"

#include <fmt/core.h>

namespace howdah::repository {

void throw_damaged(const std::string& name, std::string_view what) {
    throw base::Failure(base::FailureKind::operation, fmt::format("object {} is damaged: {}", name, what),
                        "howdah backup verify names every damaged object and the backups that need it; use another backup or another copy of the repository");
}

}  // namespace howdah::repository
