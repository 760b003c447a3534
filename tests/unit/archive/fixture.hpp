#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "archive/wal_archive.hpp"
#include "base/config.hpp"
#include "base/file.hpp"
#include "postgres/wal_name.hpp"
#include "repository/initialise.hpp"
#include "repository/repository.hpp"

namespace howdah::archive::test {

inline constexpr std::uint64_t kMiB = 1u << 20;
inline constexpr base::SystemIdentifier kSystem{7301234567890123456u};
inline constexpr base::SystemIdentifier kOther{7301234567890123457u};

/// A segment with a right first page header (XLogLongPageHeaderData of PostgreSQL 15) and `fill` in place of records: the walker has
/// its doubt about it, the archive does not mind.
inline std::vector<std::byte> make_segment(postgres::WalSegment segment, std::uint64_t size = kMiB, base::SystemIdentifier system = kSystem,
                                           unsigned char fill = 7) {
    std::vector<std::byte> bytes(size, std::byte{fill});
    const auto put = [&](std::size_t offset, auto value) { std::memcpy(bytes.data() + offset, &value, sizeof value); };
    put(0, std::uint16_t{0xD110});
    put(2, std::uint16_t{0x0002});
    put(4, segment.timeline.value);
    put(8, segment.begin(size).value);
    put(16, std::uint32_t{0});
    put(20, std::uint32_t{0});
    put(24, system.value);
    put(32, static_cast<std::uint32_t>(size));
    put(36, std::uint32_t{8192});
    return bytes;
}

/// An encrypted repository in a folder of its own.
class RepositoryTest : public testing::Test {
protected:
    RepositoryTest() {
        config_.name = "main";
        config_.url = "file://" + (folder_.path() / "repository").string();
        config_.key_file = folder_.path() / "key";
        repository::initialise(config_, true);
        open();
    }
    void open() { repository_.emplace(repository::Repository::open(config_)); }
    WalArchive archive(const std::string& cluster = "main", base::SystemIdentifier system = kSystem) {
        return WalArchive(*repository_, repository::ClusterArea(cluster, system));
    }
    /// Archives the segments first to last of a timeline.
    void fill(std::uint32_t timeline, std::uint64_t first, std::uint64_t last) {
        WalArchive wal = archive();
        for (std::uint64_t number = first; number <= last; ++number) {
            const postgres::WalSegment segment{{timeline}, number};
            wal.put_segment(segment.name(kMiB), make_segment(segment), context_);
        }
    }
    std::filesystem::path repository_folder() const { return folder_.path() / "repository"; }

    base::TemporaryDirectory folder_{"howdah-archive"};
    base::RepositoryConfig config_;
    std::optional<repository::Repository> repository_;
    repository::SealContext context_;
};

/// The kind of the failure that `work` throws; none when it does not.
template <typename Work>
std::optional<base::FailureKind> failure_of(Work work) {
    try {
        work();
    } catch (const base::Failure& failure) {
        EXPECT_FALSE(std::string(failure.what()).empty());
        return failure.kind();
    }
    return std::nullopt;
}

}  // namespace howdah::archive::test
