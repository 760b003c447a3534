#pragma once

#include <optional>
#include <string>

#include "base/file.hpp"
#include "base/units.hpp"
#include "preflight/finding.hpp"
#include "preflight/thresholds.hpp"

namespace howdah::preflight {

class Looker;

/// A place that must not run full.
struct Place {
    std::string check;  ///< "disk_data".
    std::string path;
    base::Space space;
    std::optional<base::Bytes> data;  ///< Size of the tables there: indexes and rewrites need a share of it free.
    std::optional<base::Bytes> need;  ///< What is asked of the place at once: max_wal_size, another full backup.
    std::string need_for;
};

/// The worst of: free share of the file system, free share of the data (15 % for indexes, 50 % for rewrites), the need.
Finding judge_place(const Place& place, const Thresholds& thresholds);

void look_at_disk(Looker& looker);

}  // namespace howdah::preflight
