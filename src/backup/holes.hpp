#pragma once

#include <cstdint>

#include "base/file.hpp"

namespace howdah::backup {

/// The holes of a sparse file: bytes that were never written, read as zeros and take no time to skip. Only ext2 to ext4, XFS and tmpfs are
/// believed about them: others were known to call bytes a hole that were not on the disk yet (OpenZFS issue 15526). Elsewhere, and in a
/// file that is not sparse, there are none.
class Holes {
public:
    /// `file` must outlive it.
    explicit Holes(const base::File& file);
    /// Bytes from `offset` on, at most `length`, that are a hole within the file as long as it is now: whole frames only.
    std::uint64_t at(std::uint64_t offset, std::uint64_t length) const;

private:
    int descriptor_ = -1;  ///< -1: no hole is believed.
};

}  // namespace howdah::backup
