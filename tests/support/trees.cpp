#include "support/trees.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "base/file.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

Tree tree_of(const fs::path& folder) {
    Tree tree;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        struct stat facts{};
        EXPECT_EQ(::lstat(entry.path().c_str(), &facts), 0);
        std::string what = fmt::format("{:o}", facts.st_mode);
        if (entry.is_symlink())
            what += " " + fs::read_symlink(entry.path()).string();
        else if (entry.is_regular_file())
            what += "\n" + base::read_file(entry.path(), {1u << 30});
        tree.emplace(entry.path().lexically_relative(folder).string(), what);
    }
    return tree;
}

std::string difference(const Tree& left, const Tree& right) {
    const auto shown = [](const std::string& what) { return fmt::format("{} {} bytes", what.substr(0, what.find('\n')), what.size()); };
    std::string text;
    for (const auto& [name, what] : left)
        if (const auto found = right.find(name); found == right.end() || found->second != what)
            text += "- " + name + " " + shown(what) + "\n";
    for (const auto& [name, what] : right)
        if (const auto found = left.find(name); found == left.end() || found->second != what)
            text += "+ " + name + " " + shown(what) + "\n";
    return text;
}

std::map<std::string, fs::file_time_type> times_of(const fs::path& folder) {
    std::map<std::string, fs::file_time_type> times;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) times.emplace(entry.path().string(), entry.last_write_time());
    return times;
}

void flip_byte(const fs::path& file, std::uint64_t offset) {
    struct stat before{};
    ASSERT_EQ(::stat(file.c_str(), &before), 0) << file;
    const auto open = base::File::open(file, O_RDWR);
    std::array<std::byte, 1> byte{};
    ASSERT_EQ(open.read_at(byte, offset), 1u) << file;
    byte[0] ^= std::byte{0x40};
    open.write_at(byte, offset);
    const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
    ASSERT_EQ(::futimens(open.descriptor(), times.data()), 0);
}

}  // namespace howdah::tests
