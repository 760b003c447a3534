#include "storage/store.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/file.hpp"

namespace howdah::storage {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

class DirectoryStoreTest : public testing::Test {
protected:
    DirectoryStoreTest() { fs::create_directory(root); }
    std::unique_ptr<Store> open() const { return open_store("file://" + root.native()); }
    static std::span<const std::byte> bytes(std::string_view text) { return base::as_bytes(text); }
    static std::vector<std::string> names(Store& store, const std::string& prefix) {
        std::vector<std::string> found;
        store.list(prefix, [&](const Listed& listed) { found.push_back(listed.name); });
        return found;
    }
    /// Every file below the root, temporary ones included.
    std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(root)) count += entry.is_regular_file();
        return count;
    }

    base::TemporaryDirectory folder{"howdah-store"};
    fs::path root = folder.path() / "store";
};

TEST_F(DirectoryStoreTest, WhatIsPutComesBackByRange) {
    const auto store = open();
    EXPECT_EQ(store->put("a/b/object", bytes("0123456789")), Created::yes);
    EXPECT_EQ(store->get("a/b/object"), "0123456789");
    const auto reader = store->open("a/b/object");
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->size(), 10u);
    std::string part(4, ' ');
    reader->read(std::as_writable_bytes(std::span(part)), 3);
    EXPECT_EQ(part, "3456");
    EXPECT_THROW(reader->read(std::as_writable_bytes(std::span(part)), 8), Failure);
    EXPECT_EQ(store->get("a/b/other"), std::nullopt);
    EXPECT_EQ(store->get("a/b/object/below"), std::nullopt);
}

TEST_F(DirectoryStoreTest, NothingIsEverOverwritten) {
    const auto store = open();
    EXPECT_EQ(store->put("x/object", bytes("first")), Created::yes);
    EXPECT_EQ(store->put("x/object", bytes("second")), Created::exists);
    EXPECT_EQ(store->get("x/object"), "first");
    EXPECT_EQ(files(), 1u);
}

TEST_F(DirectoryStoreTest, OnlyOneOfManyWritersTakesAName) {
    const auto store = open();
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> created{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back(
                [&, i] { created += store->put(fmt::format("race/{}", round), bytes(fmt::format("writer {}", i))) == Created::yes; });
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(created, 1);
    }
}

TEST_F(DirectoryStoreTest, AnUncommittedWriterLeavesNothing) {
    const auto store = open();
    {
        const auto writer = store->create("a/object");
        writer->append(bytes("gone"));
    }
    EXPECT_EQ(store->get("a/object"), std::nullopt);
    EXPECT_EQ(files(), 0u);
}

TEST_F(DirectoryStoreTest, AKilledWriterLeavesNothing) {
    const auto store = open();
    const pid_t child = ::fork();
    if (child == 0) {
        const auto writer = store->create("a/object");
        writer->append(bytes(std::string(3 << 20, 'x')));
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(files(), 0u);
    EXPECT_TRUE(store->leftovers(base::Timestamp::max(), true).empty());
}

TEST_F(DirectoryStoreTest, ListsInOrderOfWholeNames) {
    const auto store = open();
    for (const char* name : {"b/2", "b/10", "a", "b-c/1", "b/1/x", "c/1"}) store->put(name, bytes("x"));
    EXPECT_EQ(names(*store, ""), (std::vector<std::string>{"a", "b-c/1", "b/1/x", "b/10", "b/2", "c/1"}));
    EXPECT_EQ(names(*store, "b/"), (std::vector<std::string>{"b/1/x", "b/10", "b/2"}));
    EXPECT_EQ(names(*store, "nothing/"), std::vector<std::string>{});
    EXPECT_EQ(store->list_folders(""), (std::vector<std::string>{"b", "b-c", "c"}));
    EXPECT_EQ(store->list_folders("b/"), std::vector<std::string>{"1"});
}

TEST_F(DirectoryStoreTest, RemovesAndSaysWhetherItWasThere) {
    const auto store = open();
    store->put("a/object", bytes("x"));
    EXPECT_TRUE(store->remove("a/object"));
    EXPECT_FALSE(store->remove("a/object"));
    EXPECT_EQ(store->put("a/object", bytes("again")), Created::yes);
    store->put("a/b/c/1", bytes("x"));
    EXPECT_TRUE(store->remove("a/b/c/1"));
    EXPECT_TRUE(store->remove("a/object"));
    store->sync_removals();
    EXPECT_FALSE(std::filesystem::exists(root / "a")) << "empty folders go with what was in them";
}

TEST_F(DirectoryStoreTest, LeftoversOfTheFallbackAreFoundAndFreed) {
    const auto store = open();
    base::write_file_durably(root / ".tmp-0123456789abcdef", "12345");
    EXPECT_EQ(names(*store, ""), std::vector<std::string>{});
    EXPECT_TRUE(store->leftovers(store->now() - std::chrono::hours(1), true).empty());
    for (const bool clean : {false, true}) {
        const auto found = store->leftovers(store->now(), clean);
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].name, ".tmp-0123456789abcdef");
        EXPECT_EQ(found[0].size.count, 5u);
    }
    EXPECT_EQ(files(), 0u);
}

TEST_F(DirectoryStoreTest, AnUnmountedDiskIsNotAnEmptyRepository) {
    const auto store = open();
    store->put("repository", bytes("marker"));
    store->put("a/object", bytes("x"));
    EXPECT_EQ(store->get("a/other"), std::nullopt);
    const auto moved = folder.path() / "elsewhere";
    fs::rename(root, moved);
    EXPECT_THROW(store->get("a/other"), Failure);
    fs::create_directory(root);
    for (const auto& attempt :
         std::vector<std::function<void()>>{[&] { store->get("a/object"); }, [&] { names(*store, "a/"); }, [&] { store->list_folders(""); },
                                            [&] { store->remove("a/object"); }, [&] { store->put("a/new", bytes("x")); }}) {
        try {
            attempt();
            ADD_FAILURE() << "nothing was said";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.kind(), FailureKind::repository);
            EXPECT_NE(failure.text().find("mount"), std::string::npos) << failure.text();
        }
    }
    EXPECT_EQ(files(), 0u);
}

TEST_F(DirectoryStoreTest, RefusesNamesThatLeaveItsFolder) {
    const auto store = open();
    for (const char* name : {"", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a/.tmp-x", "a b", "ä"})
        EXPECT_THROW(store->put(name, bytes("x")), Failure) << name;
}

TEST_F(DirectoryStoreTest, DoesNotFollowLinksOrReadPipes) {
    const auto store = open();
    base::write_file_durably(folder.path() / "secret", "secret");
    fs::create_symlink(folder.path() / "secret", root / "link");
    ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
    EXPECT_THROW(store->get("link"), Failure);
    EXPECT_THROW(store->get("pipe"), Failure);
}

TEST_F(DirectoryStoreTest, ObjectsAndFoldersAreTheOwnersAlone) {
    const auto store = open();
    store->put("a/b/object", bytes("x"));
    struct stat status{};
    ASSERT_EQ(::stat((root / "a/b/object").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0400u);
    ASSERT_EQ(::stat((root / "a/b").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(DirectoryStoreTest, ItsClockIsTheFileSystems) {
    const auto store = open();
    const auto before = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto now = store->now();
    EXPECT_LT(std::chrono::abs(now - before), std::chrono::seconds(5));
    EXPECT_EQ(files(), 0u);
}

TEST_F(DirectoryStoreTest, AFullDiskSaysSoAndLeavesNothing) {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
    const fs::path disk = folder.path() / "disk";
    fs::create_directory(disk);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=8m") != 0) GTEST_SKIP() << "no file system can be mounted here";
    {
        const auto store = open_store("file://" + disk.native());
        store->put("repository", bytes("marker"));
        try {
            store->put("a/large", bytes(std::string(16 << 20, 'x')));
            ADD_FAILURE() << "a full disk was not noticed";
        } catch (const base::SystemFailure& failure) {
            EXPECT_EQ(failure.error(), ENOSPC);
            EXPECT_EQ(failure.kind(), FailureKind::repository);
            EXPECT_NE(failure.hint().find("free space"), std::string::npos);
        }
        EXPECT_EQ(store->get("a/large"), std::nullopt);
        EXPECT_EQ(store->put("a/small", bytes("fits")), Created::yes);
        EXPECT_EQ(names(*store, ""), (std::vector<std::string>{"a/small", "repository"}));
    }
    ::umount(disk.c_str());
}

TEST(OpenStore, SaysWhatIsWrongWithAUrl) {
    const auto kind_of = [](const std::string& url) {
        try {
            open_store(url);
        } catch (const Failure& failure) {
            return failure.kind();
        }
        return FailureKind::operation;
    };
    EXPECT_EQ(kind_of("s3://bucket/x"), FailureKind::configuration);
    EXPECT_EQ(kind_of("file://relative"), FailureKind::configuration);
    EXPECT_EQ(kind_of("/path"), FailureKind::configuration);
    EXPECT_EQ(kind_of("file:///nonexistent/howdah/repository"), FailureKind::repository);
    EXPECT_EQ(kind_of("file:///etc/passwd"), FailureKind::repository);
}

}  // namespace
}  // namespace howdah::storage
