// Every other operation meets the damage of what it reads, and changes nothing then.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>

#include "victim.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

class ReaderMeets : public testing::TestWithParam<bool> {
protected:
    Victim& place = victim(GetParam());

    std::vector<std::string> of_kind(const std::string& kind) const {
        std::vector<std::string> found;
        for (const auto& object : place.objects())
            if (Victim::kind_of(object) == kind) found.push_back(object);
        return found;
    }
    std::string newest_below(const std::string& part) const {
        std::string newest;
        for (const auto& object : place.objects())
            if (object.find(part) != std::string::npos) newest = object;
        return newest;
    }
    /// Leases are left out: taking and giving back the right to write is no change of what is stored.
    static std::vector<std::string> names_in(const fs::path& folder) {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file() && entry.path().parent_path().filename() != "lease")
                names.push_back(fs::relative(entry.path(), folder).string());
        std::sort(names.begin(), names.end());
        return names;
    }
    base::ProcessResult fetch(const std::string& name) {
        const auto& protectee = place.server();
        const auto destination = protectee.workspace() / "fetched";
        fs::remove(destination);
        std::vector<std::string> command{protectee.binary().string(),
                                         "--config",
                                         protectee.config_file().string(),
                                         "wal",
                                         "fetch",
                                         name,
                                         destination.string(),
                                         "--wait",
                                         "0",
                                         "--no-look-ahead"};
        base::ProcessOptions options;
        if (::geteuid() == 0) options.user = place.server().server().user();
        options.working_directory = place.server().server().data_directory();
        auto result = base::run_process(command, options);
        EXPECT_EQ(fs::exists(destination), result.exit_code == 0) << name;
        return result;
    }
    /// The command must fail for each damage but those left out, and the repository must hold the same objects as before.
    void expect_met(const std::string& object, const std::vector<std::string>& words, const std::vector<std::string>& except = {}) {
        ASSERT_FALSE(object.empty());
        for (const auto& mutation : mutations()) {
            if (std::find(except.begin(), except.end(), mutation.name) != except.end()) continue;
            const Damaged damaged(place, object, mutation, 0);
            // A copy, because a command that does not meet the damage may change what the other tests need.
            const auto copy = place.server().workspace() / "copy";
            base::run_process_checked("cp", {"cp", "-a", place.root().string(), copy.string()});
            const auto before = names_in(copy);
            const auto result = place.server().howdah(words, {{"HOWDAH_REPOSITORY_MAIN_URL", "file://" + copy.string()}});
            const auto after = names_in(copy);
            fs::remove_all(copy);
            SCOPED_TRACE(fmt::format("{} {}: {}: exit {}: {}{}", object, mutation.name, words.back(), result.exit_code, result.output,
                                     result.errors));
            EXPECT_NE(result.exit_code, 0);
            EXPECT_EQ(before, after) << "it changed the repository";
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Sealings, ReaderMeets, testing::Bool(), [](const auto& sealing) { return sealing.param ? "encrypted" : "plain"; });

TEST_P(ReaderMeets, FetchOfEverySegmentAndHistory) {
    std::size_t damages = 0;
    auto objects = of_kind("wal");
    const auto histories = of_kind("history");
    objects.insert(objects.end(), histories.begin(), histories.end());
    for (const auto& object : objects) {
        const auto name = object.substr(object.rfind('/') + 1);
        ASSERT_EQ(fetch(name).exit_code, 0) << name;
        for (const auto& mutation : mutations()) {
            const Damaged damaged(place, object, mutation, 0);
            const auto result = fetch(name);
            // A deleted one is absent, truly: verify and the plan of a restore tell it.
            EXPECT_EQ(result.exit_code, std::string_view(mutation.name) == "deleted" ? 1 : 126)
                << object << " " << mutation.name << result.errors;
            ++damages;
        }
    }
    std::fprintf(stderr, "%zu damages to %zu objects\n", damages, objects.size());
}

TEST_P(ReaderMeets, Root) {
    const auto root = newest_below("/backup/" + place.backup());
    expect_met(root, {"backup", "show", place.backup()});
    expect_met(root, {"restore", "--into", (place.server().workspace() / "x").string(), "--backup", place.backup(), "--to-backup-end"});
    expect_met(root, {"backup", "list"}, {"deleted"});
    expect_met(root, {"repo", "check"});
    expect_met(root, {"repo", "gc", "--grace", "0"});
}

TEST_P(ReaderMeets, TreesAndMapsThatGarbageCollectionTrusts) {
    for (const auto& object : place.read_by_restore())
        if (const auto kind = Victim::kind_of(object); kind == "tree" || kind == "map") expect_met(object, {"repo", "gc", "--grace", "0"});
}

TEST_P(ReaderMeets, Lease) {
    expect_met(newest_below("/lease/"), {"backup", "run"}, {"deleted"});
    expect_met(newest_below("lease/0"), {"repo", "gc"}, {"deleted"});
}

TEST_P(ReaderMeets, Ledger) { expect_met(newest_below("ledger/"), {"repo", "check"}); }

TEST_P(ReaderMeets, DoomedList) { expect_met(newest_below("doomed/"), {"repo", "gc", "--grace", "0"}, {"deleted"}); }

TEST_P(ReaderMeets, Events) { expect_met(newest_below("/event/"), {"repo", "gc", "--grace", "0"}, {"deleted"}); }

/// The end of a line may differ as long as what it says is authentic; verify tells that too.
const std::vector<std::string> kLineEnds{"a byte cut", "a byte appended"};

TEST_P(ReaderMeets, Marker) {
    auto except = kLineEnds;
    // Without a key every marker authenticates itself; verify tells that the ledger knows another one.
    if (!GetParam()) except.emplace_back("replaced by an older one or another of its kind");
    expect_met("repository", {"backup", "list"}, except);
}

TEST_P(ReaderMeets, KeySlotInUse) {
    if (!GetParam()) GTEST_SKIP() << "there are no key slots without encryption";
    expect_met("key/00000001", {"backup", "list"}, kLineEnds);
}

}  // namespace
}  // namespace howdah::tests
