#pragma once

#include <chrono>

#include "archive/destinations.hpp"
#include "base/cancellation.hpp"

namespace howdah::archive {

/// What a push does after its own files: each repository that can be reached and lacks files of earlier pushes is given them, the oldest
/// first, until all are done or `longest` has passed. A file's note goes only after its put is durable. What goes wrong is a warning and
/// ends the work for that repository: the pushed file is archived whatever happens here. Gives the number of files.
std::size_t catch_up_a_while(Destinations& destinations, const std::filesystem::path& data_directory, std::uint64_t segment_size,
                             int compression_level, std::chrono::steady_clock::duration longest, const base::Cancellation& cancellation);

}  // namespace howdah::archive
