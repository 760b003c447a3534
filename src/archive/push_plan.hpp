#pragma once

#include <string>
#include <vector>

#include "archive/push.hpp"

namespace howdah::archive {

/// `lacking`: that repository would be without it for now.
enum class PushAction { store, replace, already_archived, acknowledged, not_kept, lacking };
const char* text(PushAction action);

/// One file that a push would look at, and what it would do with it.
struct PlannedPush {
    std::string name;
    PushAction action;
    std::string repository;  ///< Empty for what concerns all.
};

/// What push() would do now: the named file first, then those pushed ahead. Writes nothing. The named file is read and checked, so that
/// whatever would fail fails here in the same words; of the others only their presence is asked.
std::vector<PlannedPush> plan_push(const PushOptions& options);

}  // namespace howdah::archive
