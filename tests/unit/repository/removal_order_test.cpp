#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "repository/event.hpp"
#include "repository/gc.hpp"
#include "small_repository.hpp"

namespace {

/// What the process asked of the kernel, in order: "unlink PATH" and "fsync PATH".
std::mutex calls_mutex;
std::vector<std::string>* calls = nullptr;

void note(const char* call, const std::string& path) {
    const std::lock_guard lock(calls_mutex);
    if (calls) calls->push_back(std::string(call) + " " + path);
}

}  // namespace

// The program's own calls pass here, as this executable defines the names first.
extern "C" int unlink(const char* path) noexcept {
    note("unlink", path);
    return static_cast<int>(::syscall(SYS_unlink, path));
}
extern "C" int fsync(int descriptor) {
    std::error_code error;
    note("fsync", std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error).native());
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace howdah::repository::test {
namespace {

/// Where the first and the last entry lie that hold both words; -1 when none does.
std::pair<long, long> span_of(const std::vector<std::string>& trace, const std::string& call, const std::string& word) {
    std::pair<long, long> span{-1, -1};
    for (std::size_t i = 0; i < trace.size(); ++i) {
        if (!trace[i].starts_with(call) || trace[i].find(word) == trace[i].npos) continue;
        if (span.first < 0) span.first = static_cast<long>(i);
        span.second = static_cast<long>(i);
    }
    return span;
}

TEST(RemovalOrder, RootsAreGoneForGoodBeforeWhatTheyNeedAndAllBeforeTheListForgetsIt) {
    const Place place(false);
    const Repository repository = place.open();
    write_segment(repository, 1);
    write_backup(repository, "a", sample_files(1), {1u << 20});
    write_backup(repository, "b", {{"x", "1"}}, {1u << 20});
    Event event;
    event.type = "expire";
    event.backup_id = "a";
    append_event(repository, place.area(), event);
    std::vector<std::string> trace;
    calls = &trace;
    const GcResult result = collect_garbage(repository, {.grace = std::chrono::seconds(0)}, {});
    calls = nullptr;
    EXPECT_GT(result.deleted, 3u);

    const auto roots = span_of(trace, "unlink", "/backup/");
    const auto packs = span_of(trace, "unlink", "/pack/");
    const auto trees = span_of(trace, "unlink", "/tree/");
    const auto root_synced = span_of(trace, "fsync", "/backup");
    ASSERT_GE(roots.first, 0);
    ASSERT_GE(root_synced.first, 0) << "the removal of the root is not durable";
    EXPECT_LT(roots.second, root_synced.first);
    EXPECT_LT(root_synced.second, std::min(packs.first, trees.first));
    // The list without them is the second fsync of its folder; the first is the list with them.
    const auto lists = span_of(trace, "fsync", "/doomed");
    ASSERT_LT(lists.first, roots.first);
    for (const char* kind : {"/pack", "/tree"}) {
        const auto synced = span_of(trace, "fsync", kind);
        EXPECT_GT(synced.second, span_of(trace, "unlink", kind).second) << kind;
        EXPECT_LT(synced.second, lists.second) << kind;
    }
}

}  // namespace
}  // namespace howdah::repository::test
