#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// An archived segment in pieces, in order, never whole in memory; false when there is no such object. Fails as WalArchive::get does, possibly
/// after pieces were visited: they are of use only when it returns true.
bool read_segment(const WalArchive& archive, const std::string& name, repository::SealContext& context,
                  const std::function<void(std::span<const std::byte> piece)>& visit);

}  // namespace howdah::archive
