#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/file.hpp"
#include "restore/layout.hpp"

namespace howdah::restore {

/// One worker's way to the files of a layout, by their numbers: keeps the file it used last open. The bytes of pg_control are in memory,
/// and never in its file. Workers may be at different ranges of one file at once.
class LocalFiles {
public:
    /// `control` has pg_control's size.
    LocalFiles(const Layout& layout, std::string& control) : layout_(layout), control_(control) {}

    /// The file's bytes; zeros for those beyond its end.
    void read(std::uint32_t file, std::uint64_t offset, std::span<std::byte> into);
    /// Whether the file has exactly these bytes there.
    bool holds(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes);
    /// Makes the file where it is missing.
    void write(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes);
    /// Makes a range zeros where it is not, and gives the number of bytes that were not a hole and had to be. Never lengthens the file.
    std::uint64_t clear(std::uint32_t file, std::uint64_t offset, std::uint64_t length);

private:
    bool in_memory(std::uint32_t file) const { return layout_.has_control && file == layout_.control_file; }
    const base::File& at(std::uint32_t file);
    std::uint64_t clear_data(const base::File& file, std::uint64_t begin, std::uint64_t end);

    const Layout& layout_;
    std::string& control_;
    base::File file_;
    std::optional<std::uint32_t> open_;
    std::vector<std::byte> buffer_;
};

}  // namespace howdah::restore
