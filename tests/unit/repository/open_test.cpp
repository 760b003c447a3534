#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/random.hpp"
#include "repository/initialise.hpp"
#include "repository/key_cache.hpp"
#include "repository/key_slots.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

class OpenTest : public testing::Test {
protected:
    OpenTest() {
        ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1);
        config.name = "main";
        config.url = "file://" + root.native();
        config.key_file = folder.path() / "repository.key";
    }
    ~OpenTest() override { ::unsetenv("XDG_RUNTIME_DIR"); }

    static Failure failure_of(const std::function<void()>& work) {
        try {
            work();
        } catch (const Failure& failure) {
            return failure;
        }
        return {FailureKind::usage, "nothing failed"};
    }
    Failure open_failure() const {
        return failure_of([&] { Repository::open(config); });
    }

    base::TemporaryDirectory folder{"howdah-open"};
    base::TemporaryDirectory runtime{"howdah-open", "/dev/shm"};
    fs::path root = folder.path() / "repository";
    base::RepositoryConfig config;
};

TEST_F(OpenTest, InitMakesAKeyFileAndUsesAValidOne) {
    const Initialised made = initialise(config, true);
    EXPECT_TRUE(made.key_file_made);
    struct stat status{};
    ASSERT_EQ(::stat(config.key_file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const std::string key = base::read_file(config.key_file);
    EXPECT_EQ(key.size(), 45u);

    base::RepositoryConfig second = config;
    second.url += "-second";
    EXPECT_FALSE(initialise(second, true).key_file_made);
    EXPECT_EQ(base::read_file(config.key_file), key);
    EXPECT_NE(Repository::open(config).id(), Repository::open(second).id());
}

TEST_F(OpenTest, AnInvalidKeyFileLeavesThePlaceUntouched) {
    for (const char* content : {"", "short\n", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= trailing\n"}) {
        base::write_file_durably(config.key_file, content);
        EXPECT_EQ(failure_of([&] { initialise(config, true); }).kind(), FailureKind::configuration);
        EXPECT_FALSE(fs::exists(root));
        EXPECT_EQ(base::read_file(config.key_file), content);
    }
}

TEST_F(OpenTest, InitRefusesAPlaceThatHoldsAnything) {
    fs::create_directory(root);
    base::write_file_durably(root / "something", "x");
    EXPECT_EQ(failure_of([&] { initialise(config, true); }).kind(), FailureKind::operation);
    fs::remove(root / "something");
    initialise(config, true);
    const Failure again = failure_of([&] { initialise(config, true); });
    EXPECT_NE(again.text().find("repository already"), std::string::npos) << again.text();
    EXPECT_EQ(Repository::open(config).name(), "main");
}

TEST_F(OpenTest, OfSeveralInitsAtOnceOneWins) {
    for (const bool encrypt : {true, false}) {
        base::RepositoryConfig each = config;
        each.url += encrypt ? "-e" : "-p";
        if (!encrypt) each.key_file.clear();
        std::atomic<int> made{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                try {
                    initialise(each, encrypt);
                    ++made;
                } catch (const Failure&) {
                    // The others lose.
                }
            });
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(made, 1);
        EXPECT_EQ(Repository::open(each).encrypted(), encrypt);
    }
}

TEST_F(OpenTest, PlaceIsAskedBeforeTheKey) {
    EXPECT_EQ(open_failure().kind(), FailureKind::repository);
    fs::create_directory(root);
    EXPECT_EQ(open_failure().kind(), FailureKind::repository);
    initialise(config, true);
    fs::remove(config.key_file);
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
    config.key_file.clear();
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
}

TEST_F(OpenTest, AWrongKeyIsSaidAndADamagedSlotToldApart) {
    initialise(config, true);
    const std::string key = base::read_file(config.key_file);
    base::write_file_durably(config.key_file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
    EXPECT_NE(open_failure().text().find("wrong key"), std::string::npos) << open_failure().text();
    base::write_file_durably(config.key_file, key);
    const std::string slot = base::read_file(root / "key/00000001");
    fs::remove(root / "key/00000001");
    base::write_file_durably(root / "key/00000001", slot.substr(0, slot.size() / 2));
    EXPECT_NE(open_failure().text().find("damaged key slot"), std::string::npos) << open_failure().text();
}

TEST_F(OpenTest, AnExchangedMarkerIsRefusedWhenAKeyIsConfigured) {
    base::RepositoryConfig plain = config;
    plain.key_file.clear();
    initialise(plain, false);
    EXPECT_FALSE(Repository::open(plain).encrypted());
    EXPECT_EQ(failure_of([&] { initialise(config, false); }).kind(), FailureKind::configuration);
    base::write_file_durably(config.key_file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
}

TEST_F(OpenTest, APassphraseOpensWithAndWithoutItsCache) {
    config.key_file.clear();
    config.passphrase = "correct horse battery staple";
    const Initialised made = initialise(config, true);
    EXPECT_EQ(Repository::open(config).id(), made.id);
    const fs::path cache = runtime.path() / "howdah" / (made.id + ".key");
    struct stat status{};
    ASSERT_EQ(::stat(cache.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(Repository::open(config).id(), made.id);

    base::RepositoryConfig wrong = config;
    wrong.passphrase = "correct horse battery stapler";
    EXPECT_EQ(failure_of([&] { Repository::open(wrong); }).kind(), FailureKind::configuration);
    wrong.passphrase = "";
    EXPECT_EQ(failure_of([&] { Repository::open(wrong); }).kind(), FailureKind::configuration);

    base::write_file_durably(cache, std::string(92, 'x'));
    EXPECT_EQ(Repository::open(config).id(), made.id);

    base::write_file_durably(folder.path() / "phrase", *config.passphrase + "\n");
    config.passphrase.reset();
    config.passphrase_file = folder.path() / "phrase";
    EXPECT_EQ(Repository::open(config).id(), made.id);
}

/// The unwrapped key must not reach a disk, nor a folder that others can change.
TEST_F(OpenTest, ThePassphrasesCacheLiesInMemoryOnly) {
    const std::string line = "a slot's line";
    const crypto::Key secret{std::byte{1}, std::byte{2}};
    const auto kept = [&](const fs::path& runtime_folder, const std::string& id) {
        ::setenv("XDG_RUNTIME_DIR", runtime_folder.c_str(), 1);
        ::setenv("XDG_CACHE_HOME", folder.path().c_str(), 1);
        const KeyCache cache(id, line);
        cache.keep("phrase", secret);
        crypto::Key found{};
        EXPECT_TRUE(!cache.find("phrase", found) || found == secret);
        ::unsetenv("XDG_CACHE_HOME");
        return fs::exists(runtime_folder / "howdah" / (id + ".key"));
    };
    const fs::path shared = fmt::format("/dev/shm/howdah-{}", ::geteuid());
    const bool was_there = fs::exists(shared);
    const std::string id = base::random_hex(16);
    EXPECT_TRUE(kept(runtime.path(), id));
    EXPECT_FALSE(fs::exists(shared / (id + ".key")));
    fs::permissions(runtime.path(), fs::perms(0750));
    const std::string other = base::random_hex(16);
    EXPECT_FALSE(kept(runtime.path(), other)) << "a folder that others may enter";
    fs::remove(shared / (other + ".key"));
    struct statfs system{};
    ASSERT_EQ(::statfs(folder.path().c_str(), &system), 0);
    constexpr long kTmpfs = 0x01021994;
    if (system.f_type == kTmpfs) GTEST_SKIP() << "temporary files lie in memory here: there is no disk to refuse";
    EXPECT_FALSE(kept(folder.path(), other)) << "a disk";
    struct stat status{};
    ASSERT_EQ(::stat((shared / (other + ".key")).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    ASSERT_EQ(::stat(shared.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) EXPECT_NE(entry.path().extension(), ".key") << entry.path();
    fs::remove(shared / (other + ".key"));
    if (!was_there) ::rmdir(shared.c_str());
}

TEST_F(OpenTest, OneBadSlotStopsNoOther) {
    initialise(config, true);
    const std::string good = base::read_file(root / "key/00000001");
    const auto put = [&](const char* name, const std::string& content) {
        fs::remove(root / "key" / name);
        base::write_file_durably(root / "key" / name, content);
    };
    // Before it in order: one that is too large to be a slot, and a passphrase's whose cost nobody can pay.
    const KeySlot slot{.number = 2, .passphrase = true, .cost = {.n = 1u << 30}};
    put("00000000", std::string(100'000, 'x'));
    EXPECT_NO_THROW(Repository::open(config));
    put("00000001", encode_slot(slot, {}, Repository::open(config).key()));
    config.passphrase = "phrase";
    const Failure failure = open_failure();
    EXPECT_EQ(failure.kind(), FailureKind::configuration);
    for (const char* reason : {"key/00000000 ", "key/00000001 is a damaged key slot"})
        EXPECT_NE(failure.text().find(reason), std::string::npos) << failure.text();
    put("00000002", encode_slot(slot, {}, DataKey(Sealing::none, crypto::Key{})));
    EXPECT_NE(open_failure().text().find("key/00000002 cannot be tried: scrypt's cost"), std::string::npos) << open_failure().text();
    put("00000001", good);
    EXPECT_NO_THROW(Repository::open(config));
}

TEST_F(OpenTest, EncryptionNeedsAKey) {
    config.key_file.clear();
    EXPECT_EQ(failure_of([&] { initialise(config, true); }).kind(), FailureKind::configuration);
    EXPECT_FALSE(fs::exists(root));
}

TEST(ClusterAreaTest, TakesNamesThatObjectsCanHave) {
    EXPECT_EQ(ClusterArea("main-1.x", kSystem).prefix(), "cluster/main-1.x/7301234567890123456/");
    for (const char* name : {"", ".hidden", "a/b", "a b"}) EXPECT_THROW(ClusterArea(name, kSystem), Failure) << name;
}

}  // namespace
}  // namespace howdah::repository::test
