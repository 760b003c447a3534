// Values: structs, arrays, NULL, numeric, json, times and bytes, each in the type that is the server's.
#include <chrono>
#include <optional>
#include <vector>

#include "common.hpp"

namespace shop {
struct Item {
    int id = 0;
    std::string name;
    howdah::Numeric price;
    std::optional<std::string> note;
    std::vector<std::string> tags;
    howdah::Json attributes;
    howdah::Timestamp made;
};
}  // namespace shop

template <>
inline constexpr auto howdah::kFields<shop::Item> =
    std::tuple{howdah::Field{"id", &shop::Item::id},       howdah::Field{"name", &shop::Item::name},
               howdah::Field{"price", &shop::Item::price}, howdah::Field{"note", &shop::Item::note},
               howdah::Field{"tags", &shop::Item::tags},   howdah::Field{"attributes", &shop::Item::attributes},
               howdah::Field{"made", &shop::Item::made}};

int main(int argc, char** argv) {
    auto client = must(howdah::Client::open(options_of(argc, argv)));
    const auto price = must(howdah::Numeric::parse("19.90"));
    const std::vector<std::string> tags{"new", "with \"quotes\""};
    const howdah::Timestamp made = std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} + std::chrono::hours(12);
    const howdah::Rows rows =
        must(client.execute("SELECT $1::int AS id, $2::text AS name, $3::numeric AS price, $4::text AS note, $5::text[] AS tags, "
                            "$6::jsonb AS attributes, $7::timestamptz AS made",
                            7, "howdah", price, std::nullopt, tags, howdah::Json{R"({"seats": 2})"}, made));
    const shop::Item item = must(rows.one<shop::Item>());
    std::printf("%d %s costs %s, %zu tags, %s, note %s, %s\n", item.id, item.name.c_str(), item.price.text().c_str(), item.tags.size(),
                item.attributes.text.c_str(), item.note ? "there" : "NULL", item.made == made ? "same time" : "another time");

    // Numbers that do not fit and NULLs that were not expected are errors, never other values.
    const auto small = must(client.execute("SELECT 70000")).one<short>();
    const auto null = must(client.execute("SELECT NULL::int AS n")).one<int>();
    if (small || null) return 1;
    std::printf("%s\n%s\n", small.error().message().c_str(), null.error().message().c_str());

    const std::vector<std::optional<int>> some{1, std::nullopt, 3};
    const auto back = must(must(client.execute("SELECT $1::int[]", some)).one<std::vector<std::optional<int>>>());
    std::printf("array %s\n", back == some ? "as sent" : "changed");
}
