#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/acknowledgement.hpp"
#include "archive/push.hpp"
#include "storage/store.hpp"

namespace howdah::archive {

/// What a push looks at before it stores anything; a dry run looks at the same.

/// The line that tells a repository from any other at the same place.
std::string marker_of(storage::Store& store);

/// Acknowledgements of the options' cluster.
Acknowledgements acknowledgements(const PushOptions& options);

/// What an earlier call promised of the named file as it is now.
std::optional<Promise> promised(const Acknowledgements& promises, const PushOptions& options);
/// Whether the promise names this repository and its object is there still.
bool holds_what_was_promised(const Promise& promise, const PushOptions& options, storage::Store& store);

/// Refuses a named segment that its server has not finished, as push() says.
void require_finished(const std::filesystem::path& data_directory, const PushOptions& options, std::uint64_t segment_size);

/// The named file and, when it is a segment, the ready ones after it that no call acknowledged yet, up to `ahead`.
std::vector<std::string> push_order(const PushOptions& options, const std::vector<std::string>& ready, const Acknowledgements& promises);

}  // namespace howdah::archive
