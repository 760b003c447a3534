#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "backup/file_list.hpp"
#include "base/cancellation.hpp"
#include "base/rate_limit.hpp"
#include "base/units.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::backup {

/// Where stored bytes lie that are wanted of listed files, by pack. Runs of zeros, which no pack holds, have the empty id; a piece's file
/// is the number in the list.
using StoredPieces = std::map<repository::PackId, std::vector<repository::Piece>>;

void add_piece(StoredPieces& pieces, std::uint32_t file, std::uint64_t offset, const repository::Extent& extent);

/// Some bytes of a file, at most a frame.
struct Beside {
    std::uint32_t file = 0;  ///< Number in the list.
    std::uint64_t offset = 0;
    std::span<const std::byte> stored;
    std::span<const std::byte> now;  ///< What the file has there; shorter than `stored` where it was cut, empty where it is gone.
};

struct BesideOptions {
    unsigned jobs = 2;
    base::RateLimit* limit = nullptr;  ///< Of what is read of the files; null for none.
};

/// Hands out all pieces beside what the files have there now, each pack read once; zeros beside a hole (holes.hpp) are passed over. `visit` is called from `jobs` threads at the same time.
/// Gives how much was read of the files. Every stored byte was authenticated. The first failure stops all workers and is thrown.
base::Bytes read_beside(const repository::Repository& repository, const repository::ClusterArea& area, const FileList& files,
                        StoredPieces pieces, const BesideOptions& options, const std::function<void(const Beside&)>& visit,
                        const base::Cancellation& cancellation);

}  // namespace howdah::backup
