// What memory a backup, a restore and their proofs take for many files and for large sparse ones. HOWDAH_TEST_FILES gives how many.
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "many_files.hpp"
#include "measured_run.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFirst = 1'000'000;
constexpr double kMiB = 1u << 20;

unsigned number_of_files(unsigned otherwise) {
    const char* value = std::getenv("HOWDAH_TEST_FILES");
    return value && *value ? static_cast<unsigned>(std::strtoul(value, nullptr, 10)) : otherwise;
}

using Peaks = std::map<std::string, std::uint64_t>;

void measure(ProtectedServer& protectee, Peaks& peaks, const std::string& what, const std::vector<std::string>& words) {
    const auto run = run_measured(protectee, words);
    ASSERT_EQ(run.exit_code, 0) << what << ": " << run.output;
    peaks[what] = run.peak_bytes;
    fmt::print("{:<24} {:7.1f} MiB {:8.2f} s\n", what, static_cast<double>(run.peak_bytes) / kMiB, run.seconds);
}

/// Every operation that reads or writes a manifest, on a cluster with so many files.
Peaks measure_all(ProtectedServer& protectee, unsigned files) {
    Peaks peaks;
    const auto into = (protectee.workspace() / fmt::format("restored-{}", files)).string();
    measure(protectee, peaks, "full", {"backup", "run"});
    measure(protectee, peaks, "incremental, idle", {"backup", "run", "--type", "incr"});
    change_files(protectee, kFirst, files);
    measure(protectee, peaks, "incremental, changed", {"backup", "run", "--type", "incr"});
    measure(protectee, peaks, "restore", {"restore", "--into", into, "--to-backup-end"});
    measure(protectee, peaks, "restore --delta", {"restore", "--into", into, "--to-backup-end", "--delta"});
    fs::remove_all(into);
    measure(protectee, peaks, "verify", {"backup", "verify"});
    measure(protectee, peaks, "verify --full", {"backup", "verify", "--full"});
    measure(protectee, peaks, "gc", {"repo", "gc"});
    measure(protectee, peaks, "list", {"backup", "list"});
    lose_segment(protectee);
    measure(protectee, peaks, "incremental, all compared", {"backup", "run", "--type", "incr"});
    return peaks;
}

TEST(Memory, GrowsLittleWithTheNumberOfFiles) {
    constexpr unsigned kFew = 2'000;
    // A million take half of this for each: buffers that double weigh more where the files are few.
    constexpr double kBytesForEachFile = 640, kMost = 512 * kMiB;
    const auto number = number_of_files(22'000);
    std::array<Peaks, 2> peaks;
    for (const bool many : {false, true}) {
        ProtectedServer protectee(without_checksums());
        add_files(protectee, kFirst, many ? number : kFew);
        peaks[many] = measure_all(protectee, many ? number : kFew);
    }
    for (const auto& [what, bytes] : peaks[true]) {
        const auto peak = static_cast<double>(bytes);
        const double each = (peak - static_cast<double>(peaks[false].at(what))) / (number - kFew);
        EXPECT_LE(peak, kMost) << what;
        EXPECT_LT(each, kBytesForEachFile) << what << ": bytes for each file";
        fmt::print("RESULT {} files, {}: {:.0f} MiB, {:.0f} bytes for each file\n", number, what, peak / kMiB, each);
    }
}

/// Bytes on disk of a relation's segments in a data directory.
std::uint64_t allocated(const fs::path& data_directory, std::uint32_t relation) {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(data_directory / "base")) {
        struct stat facts{};
        if (!entry.path().filename().string().starts_with(std::to_string(relation))) continue;
        if (::stat(entry.path().c_str(), &facts) == 0) bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
    }
    return bytes;
}

/// Where the segments of a relation have other bytes than zeros, and which: offset and first byte of each frame.
std::string contents(const fs::path& data_directory, std::uint32_t relation, unsigned segments) {
    std::string text;
    for (const auto& folder : fs::directory_iterator(data_directory / "base"))
        for (unsigned segment = 0; segment < segments; ++segment) {
            const auto path = folder.path() / (segment == 0 ? std::to_string(relation) : fmt::format("{}.{}", relation, segment));
            const auto file = base::File::open_if_exists(path, O_RDONLY);
            if (!file) continue;
            text += fmt::format("{}: {} bytes", path.filename().string(), file->size());
            std::vector<std::byte> page(8192);
            for (auto at = ::lseek(file->descriptor(), 0, SEEK_DATA); at >= 0; at = ::lseek(file->descriptor(), at, SEEK_DATA)) {
                at = at / 8192 * 8192;
                file->read_at(page, static_cast<std::uint64_t>(at));
                if (page[0] != std::byte{0}) text += fmt::format(", {} at {}", static_cast<char>(page[0]), at);
                at += 8192;
            }
            text += '\n';
        }
    return text;
}

TEST(Memory, ASparseRelationOf64GiBIsNeitherReadNorStoredNorMade) {
    constexpr unsigned kSegments = 64;
    ProtectedServer protectee(without_checksums());
    const auto relation = add_sparse_relation(protectee, kSegments);
    const auto data = protectee.server().data_directory();
    const auto truth = contents(data, relation, kSegments);
    const auto into = protectee.workspace() / "restored";
    Peaks peaks;
    measure(protectee, peaks, "full", {"backup", "run"});
    measure(protectee, peaks, "incremental", {"backup", "run", "--type", "incr"});
    measure(protectee, peaks, "restore", {"restore", "--into", into.string(), "--to-backup-end"});
    EXPECT_EQ(contents(into, relation, kSegments), truth);
    EXPECT_LT(allocated(into, relation), 8 * kMiB);
    measure(protectee, peaks, "restore --delta", {"restore", "--into", into.string(), "--to-backup-end", "--delta"});
    EXPECT_EQ(contents(into, relation, kSegments), truth);
    EXPECT_LT(allocated(into, relation), 8 * kMiB);
    measure(protectee, peaks, "verify --full", {"backup", "verify", "--full"});
    lose_segment(protectee);
    measure(protectee, peaks, "incremental, all compared", {"backup", "run", "--type", "incr"});
    for (const auto& [what, bytes] : peaks) EXPECT_LE(static_cast<double>(bytes), 300 * kMiB) << what;
    std::uint64_t stored = 0;
    for (const auto& entry : fs::recursive_directory_iterator(protectee.repository()))
        if (entry.is_regular_file() && entry.path().string().find("/pack/") != std::string::npos) stored += entry.file_size();
    EXPECT_LT(stored, 64 * kMiB);
}

}  // namespace
}  // namespace howdah::tests
