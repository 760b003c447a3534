#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/random.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

class OpenTest : public testing::Test {
protected:
    OpenTest() {
        ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
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
    fs::path root = folder.path() / "repository";
    base::RepositoryConfig config;
};

TEST_F(OpenTest, InitMakesAKeyFileAndUsesAValidOne) {
    const Initialised made = Repository::initialise(config, true);
    EXPECT_TRUE(made.key_file_made);
    struct stat status{};
    ASSERT_EQ(::stat(config.key_file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const std::string key = base::read_file(config.key_file);
    EXPECT_EQ(key.size(), 45u);

    base::RepositoryConfig second = config;
    second.url += "-second";
    EXPECT_FALSE(Repository::initialise(second, true).key_file_made);
    EXPECT_EQ(base::read_file(config.key_file), key);
    EXPECT_NE(Repository::open(config).id(), Repository::open(second).id());
}

TEST_F(OpenTest, AnInvalidKeyFileLeavesThePlaceUntouched) {
    for (const char* content : {"", "short\n", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= trailing\n"}) {
        base::write_file_durably(config.key_file, content);
        EXPECT_EQ(failure_of([&] { Repository::initialise(config, true); }).kind(), FailureKind::configuration);
        EXPECT_FALSE(fs::exists(root));
        EXPECT_EQ(base::read_file(config.key_file), content);
    }
}

TEST_F(OpenTest, InitRefusesAPlaceThatHoldsAnything) {
    fs::create_directory(root);
    base::write_file_durably(root / "something", "x");
    EXPECT_EQ(failure_of([&] { Repository::initialise(config, true); }).kind(), FailureKind::operation);
    fs::remove(root / "something");
    Repository::initialise(config, true);
    const Failure again = failure_of([&] { Repository::initialise(config, true); });
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
                    Repository::initialise(each, encrypt);
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
    Repository::initialise(config, true);
    fs::remove(config.key_file);
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
    config.key_file.clear();
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
}

TEST_F(OpenTest, AWrongKeyIsSaidAndADamagedSlotToldApart) {
    Repository::initialise(config, true);
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
    Repository::initialise(plain, false);
    EXPECT_FALSE(Repository::open(plain).encrypted());
    EXPECT_EQ(failure_of([&] { Repository::initialise(config, false); }).kind(), FailureKind::configuration);
    base::write_file_durably(config.key_file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    EXPECT_EQ(open_failure().kind(), FailureKind::configuration);
}

TEST_F(OpenTest, APassphraseOpensWithAndWithoutItsCache) {
    config.key_file.clear();
    config.passphrase = "correct horse battery staple";
    const Initialised made = Repository::initialise(config, true);
    EXPECT_EQ(Repository::open(config).id(), made.id);
    const fs::path cache = folder.path() / "howdah" / (made.id + ".key");
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

TEST_F(OpenTest, EncryptionNeedsAKey) {
    config.key_file.clear();
    EXPECT_EQ(failure_of([&] { Repository::initialise(config, true); }).kind(), FailureKind::configuration);
    EXPECT_FALSE(fs::exists(root));
}

TEST(ClusterAreaTest, TakesNamesThatObjectsCanHave) {
    EXPECT_EQ(ClusterArea("main-1.x", kSystem).prefix(), "cluster/main-1.x/7301234567890123456/");
    for (const char* name : {"", ".hidden", "a/b", "a b"}) EXPECT_THROW(ClusterArea(name, kSystem), Failure) << name;
}

}  // namespace
}  // namespace howdah::repository::test
