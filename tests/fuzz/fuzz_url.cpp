#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "howdah/options.hpp"

/// Connection strings as users write them: never a crash, a password never in an error, and the same string always read the same. The
/// text up to the first zero byte is the string, the rest "NAME=VALUE" lines of an environment.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace howdah;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t end = input.find('\0');
    const std::string_view url = input.substr(0, end);
    auto options = read_url(url);
    const auto again = read_url(url);
    if (options.has_value() != again.has_value()) std::abort();
    if (!options) {
        if (options.error().phase() != Phase::configure || options.error().message().empty()) std::abort();
        options = EndpointOptions();
    } else if (options->conninfo != again->conninfo || options->settings != again->settings) {
        std::abort();
    }
    // A password that occurs nowhere else in the string must not come out in any text.
    constexpr std::string_view kSecret = "s3cr3t-w0rd";
    if (url.find("@") == std::string_view::npos && url.find(kSecret) == std::string_view::npos) {
        const auto with = read_url("postgresql://user:" + std::string(kSecret) + "@" + std::string(url));
        if (!with && (with.error().message() + with.error().hint() + with.error().detail()).find(kSecret) != std::string::npos)
            std::abort();
    }
    Environment environment;
    std::string_view rest = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
    if (const auto applied = apply_environment(*options, environment); !applied && applied.error().message().empty()) std::abort();
    return 0;
}
