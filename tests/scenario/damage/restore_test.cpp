// Restores from a damaged repository: they fail, and no wrong byte is ever in a file that they wrote.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.hpp"
#include "victim.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMark = "howdah-unfinished-restore";
constexpr std::size_t kBlock = 4096;

class RestoreMeets : public testing::TestWithParam<bool> {
protected:
    Victim& place = victim(GetParam());
    const fs::path into = place.server().workspace() / "into";

    void TearDown() override { fs::remove_all(into); }

    base::ProcessResult restore() {
        fs::remove_all(into);
        return place.server().howdah({"restore", "--backup", place.backup(), "--to-backup-end", "--into", into.string(), "--jobs", "2"});
    }
    /// Every block is the true one, or, in an unfinished restore, not yet written.
    std::string wrong_bytes(bool finished) const {
        std::string wrong;
        if (!fs::exists(into)) return finished ? "nothing was restored" : "";
        for (const auto& entry : fs::recursive_directory_iterator(into)) {
            if (!entry.is_regular_file() || entry.path().filename() == kMark) continue;
            const auto path = fs::relative(entry.path(), into);
            if (path == "postgresql.auto.conf") continue;  // The restore itself writes recovery settings into it.
            const auto found = base::read_file(entry.path(), {1u << 30});
            const auto truth = base::read_file_if_exists(place.truth() / path, {1u << 30});
            if (!truth) {
                wrong += path.string() + " is not of the backup\n";
                continue;
            }
            if (found == *truth) continue;
            if (finished || found.size() > truth->size()) wrong += path.string() + " differs\n";
            for (std::size_t at = 0; at < found.size(); at += kBlock) {
                const auto size = std::min(kBlock, found.size() - at);
                const auto block = found.substr(at, size);
                if (block != truth->substr(at, size) && block.find_first_not_of('\0') != std::string::npos) {
                    wrong += fmt::format("{} has wrong bytes in {}\n", path.string(), at);
                    break;
                }
            }
        }
        return wrong;
    }
};
INSTANTIATE_TEST_SUITE_P(Sealings, RestoreMeets, testing::Bool(),
                         [](const auto& sealing) { return sealing.param ? "encrypted" : "plain"; });

TEST_P(RestoreMeets, NoDamage) {
    const auto result = restore();
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(wrong_bytes(true), "");
    EXPECT_TRUE(fs::exists(into / "global/pg_control"));
}

TEST_P(RestoreMeets, EveryDamageToWhatItReads) {
    std::size_t damages = 0;
    for (const auto& object : place.read_by_restore()) {
        for (const auto& mutation : mutations()) {
            // Byte 60 lies in the first frame, which every reader of the object needs.
            const Damaged damaged(place, object, mutation, 0);
            const auto result = restore();
            SCOPED_TRACE(object + " " + mutation.name + ": exit " + std::to_string(result.exit_code) + ": " + result.errors);
            ++damages;
            if (result.exit_code == 0) {
                ADD_FAILURE() << "the damage was not met";
                EXPECT_EQ(wrong_bytes(true), "");
                continue;
            }
            EXPECT_EQ(result.exit_code, 1);
            EXPECT_NE(result.errors.find(object.substr(object.rfind('/') + 1)), std::string::npos);
            EXPECT_NE(result.errors.find("HINT: "), std::string::npos);
            EXPECT_EQ(wrong_bytes(false), "");
            EXPECT_FALSE(fs::exists(into / "global/pg_control")) << "it could be started";
            const bool begun = fs::exists(into) && !fs::is_empty(into);
            EXPECT_EQ(fs::exists(into / kMark), begun) << "nothing says that it is unfinished";
        }
    }
    std::fprintf(stderr, "%zu damages to %zu objects\n", damages, place.read_by_restore().size());
}

/// Bytes anywhere: a restore that does not read the damaged place succeeds, and then everything is right.
TEST_P(RestoreMeets, BytesChangedAnywhere) {
    std::size_t met = 0, passed = 0;
    for (const auto& object : place.read_by_restore()) {
        for (std::size_t seed = 11; seed < 14; ++seed) {
            const Damaged damaged(place, object, mutations().front(), seed);
            const auto result = restore();
            EXPECT_EQ(wrong_bytes(result.exit_code == 0), "") << object << " seed " << seed;
            ++(result.exit_code == 0 ? passed : met);
        }
    }
    EXPECT_GT(met, 0u);
    std::fprintf(stderr, "%zu met, %zu in places that are not read\n", met, passed);
}

/// After a failed restore and a mended repository the plain command again is all it takes.
TEST_P(RestoreMeets, AMendedRepository) {
    std::string pack;
    for (const auto& object : place.read_by_restore())
        if (Victim::kind_of(object) == "pack") pack = object;
    {
        const Damaged damaged(place, pack, mutations().front());
        ASSERT_EQ(restore().exit_code, 1);
    }
    const auto again = place.server().howdah({"restore", "--backup", place.backup(), "--to-backup-end", "--into", into.string()});
    EXPECT_EQ(again.exit_code, 0) << again.errors;
    EXPECT_EQ(wrong_bytes(true), "");
}

}  // namespace
}  // namespace howdah::tests
