#include <sstream>

#include "installed.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

/// What the guide's blocks take for granted: a client, tables, and what a service would have at hand.
constexpr const char* kBefore = R"text(
#include <howdah/client.hpp>
#include <howdah/tagged_sql.hpp>
#include <howdah/testing.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace shop {
struct User {
    int id = 0;
    std::string name;
};
}  // namespace shop

struct Hall {
    howdah::Client& client;
    howdah::Client& orders;
    howdah::Client& stock;
    howdah::ClientOptions options;
    std::shared_ptr<howdah::testing::Faults> faults = std::make_shared<howdah::testing::Faults>();
    std::vector<howdah::LabelledFigures> all{client.labelled_figures(), orders.labelled_figures()};
    int id = 1, item = 1, count = 2;
};
inline howdah::Result<int> body(howdah::Transaction& transaction) {
    auto rows = transaction.execute("INSERT INTO done VALUES (1) RETURNING number");
    if (!rows) return rows.error();
    return rows->one<int>();
}
)text";

/// Each block that is no program and no declaration runs in a function of its own, in the page's order.
constexpr const char* kBlockBegins = R"([[maybe_unused]] auto& [client, orders, stock, options, faults, all, id, item, count] = hall;
{
)";

constexpr const char* kMain = R"text(
howdah::Client open(const char* name) {
    howdah::ClientOptions options;
    options.endpoint = howdah::read_url("dbname=postgres").value();
    options.name = name;
    return howdah::Client::open(std::move(options)).value();
}
int main() {
    howdah::Client client = open("client"), orders = open("orders"), stock = open("stock");
    for (const char* sql : {"CREATE TABLE users (id int, name text)", "CREATE TABLE stock (item int, pieces int)",
                            "INSERT INTO stock VALUES (1, 10)", "CREATE TABLE done (number int)"}) {
        if (auto made = client.execute(sql); !made) return std::puts(made.error().message().c_str()), 1;
    }
    Hall hall{client, orders, stock, {}};
    run_blocks(hall);
    std::printf("pieces %d\n", client.execute("SELECT pieces FROM stock").value().one<int>().value());
    std::printf("done %ld\n", client.execute("SELECT count(*) FROM done").value().one<long>().value());
}
)text";

/// The blocks marked `cpp` of a page.
std::vector<std::string> blocks_of(const std::string& page) {
    std::vector<std::string> blocks;
    std::istringstream lines(page);
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (inside && line.starts_with("```")) {
            inside = false;
        } else if (line == "```cpp") {
            blocks.emplace_back();
            inside = true;
        } else if (inside) {
            blocks.back() += line + "\n";
        }
    }
    return blocks;
}

class Guide : public InstalledLibrary {
protected:
    /// All blocks of a page as one program. The first lines of the guide are one already and tested as such.
    static std::string program_of(const std::vector<std::string>& blocks) {
        std::string program = kBefore;
        std::string calls;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            const std::string& block = blocks[i];
            if (block.find("int main()") != std::string::npos) continue;
            if (block.starts_with("template <>")) {
                program += block;
                continue;
            }
            const std::string name = "block_" + std::to_string(i);
            program += "void " + name + "(Hall& hall) {\n" + kBlockBegins + block + "}\n}\n";
            calls += "    " + name + "(hall);\n";
        }
        return program + "void run_blocks(Hall& hall) {\n" + calls + "}\n" + kMain;
    }
    void runs_page(const std::string& page, std::size_t least_blocks, const std::string& says) {
        const auto blocks = blocks_of(read(source_folder() / "docs" / "use" / page));
        ASSERT_GE(blocks.size(), least_blocks);
        write(folder_ / "guide.cpp", program_of(blocks));
        ASSERT_NO_FATAL_FAILURE(build_with_pkg_config("howdah", folder_ / "guide.cpp", folder_ / "guide"));
        const postgres::ScratchServer server(postgres::ScratchOptions{});
        const Ran ran = run({(folder_ / "guide").string()}, environment(server));
        EXPECT_EQ(ran.exit_code, 0) << ran.output;
        EXPECT_NE(ran.output.find(says), std::string::npos) << ran.output;
    }
};

// The transaction takes two pieces; the work under a key and the one whose answer is lost are done once each.
TEST_F(Guide, EveryBlockOfTheLibrarysPageRuns) { runs_page("library.md", 8, "pieces 8\ndone 2\n"); }

TEST_F(Guide, EveryBlockOfWatchingRuns) { runs_page("library-watch.md", 3, "db_monitor_pings"); }

}  // namespace
}  // namespace howdah::tests
