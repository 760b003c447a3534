// A directory whose name is not UTF-8 is a directory like any other.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

TEST(OddPath, ARestoreIntoANameThatIsNotUtf8Succeeds) {
    ProtectedServer protectee;
    protectee.session().script("CREATE TABLE shop(id int); INSERT INTO shop SELECT generate_series(1, 10)");
    protectee.howdah_ok({"backup", "run"});
    const auto into = protectee.workspace() / "caf\xe9";
    const auto document = protectee.howdah_json({"restore", "--into", into.string(), "--to-backup-end"});
    EXPECT_EQ(document["data_directory"], (protectee.workspace() / "caf\ufffd").string());
    auto server = protectee.start_restored(into);
    EXPECT_EQ(open_session(server).value("SELECT count(*) FROM shop"), "10");
}

}  // namespace
}  // namespace howdah::tests
