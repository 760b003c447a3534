#pragma once

#include <exception>
#include <span>
#include <string>
#include <vector>

#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// What became of one file in one archive.
struct PutResult {
    Stored stored = Stored::added;
    std::exception_ptr failure;  ///< Why the archive does not have it; none: it is durable there.
};

/// Stores a segment in several archives of one system identifier. It is checked, walked and compressed once, sealed for each, and the
/// waits for durability overlap. What is wrong with the segment itself throws, as WalArchive::put_segment says; what fails in one archive
/// stands in its result, at the same place as the archive, and harms no other. `stored` is increased by the sizes of new objects.
std::vector<PutResult> put_everywhere(std::span<WalArchive* const> archives, const std::string& name, std::span<const std::byte> bytes,
                                      repository::SealContext& context, base::Bytes* stored = nullptr);

/// Runs `work` for each archive that did not fail yet; what it throws stands in the archive's result.
template <typename Work>
void for_each_sound(std::span<WalArchive* const> archives, std::vector<PutResult>& results, const Work& work) {
    for (std::size_t i = 0; i < archives.size(); ++i) {
        if (results[i].failure) continue;
        try {
            work(*archives[i], results[i]);
        } catch (...) {
            results[i].failure = std::current_exception();
        }
    }
}

}  // namespace howdah::archive
