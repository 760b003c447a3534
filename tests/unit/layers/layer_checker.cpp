#include "layer_checker.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestFile = 600;
constexpr std::size_t kLongestFunction = 70;

std::vector<std::string> lines_of(const fs::path& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string at(const std::string& name, std::size_t line, const std::string& what) {
    return name + ":" + std::to_string(line) + ": " + what;
}

bool may_include(const LayerTable& table, const std::string& from, const std::string& to) {
    if (from == to || to == "howdah") return true;
    if (to == "base") return from != "client" && from != "cache";
    const auto& allowed = table.at(from);
    return std::find(allowed.begin(), allowed.end(), to) != allowed.end();
}

/// The table with the arrows to base written out, so that a cycle through base shows too.
LayerTable with_base(LayerTable table) {
    for (auto& [folder, allowed] : table) {
        if (folder != "base" && folder != "client" && folder != "cache") allowed.push_back("base");
    }
    return table;
}

std::optional<std::string> included_path(const std::string& line) {
    static const std::regex pattern(R"(^\s*#\s*include\s*["<]([^">]+)[">])");
    std::smatch match;
    if (!std::regex_search(line, match, pattern)) return std::nullopt;
    return match[1].str();
}

/// Which folder of src an include names; nothing for the system's headers and for files of the same folder.
std::optional<std::string> included_folder(const LayerTable& table, const std::string& path, const fs::path& src) {
    const auto slash = path.find('/');
    if (slash == std::string::npos) return std::nullopt;
    const auto folder = path.substr(0, slash);
    if (folder == "..") return folder;
    if (table.contains(folder) || folder == "howdah" || fs::is_directory(src / folder)) return folder;
    return std::nullopt;
}

void check_includes(const LayerTable& table, const fs::path& src, const fs::path& file, const std::string& name,
                    const std::vector<std::string>& lines, LayerFindings& findings) {
    const auto relative = fs::relative(file, src);
    const bool in_folder = std::distance(relative.begin(), relative.end()) > 1;
    const std::string from = in_folder ? relative.begin()->string() : std::string();
    if (in_folder && !table.contains(from)) return;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto path = included_path(lines[i]);
        const auto to = path ? included_folder(table, *path, src) : std::nullopt;
        if (!to) continue;
        if (*to == "..") {
            findings.errors.push_back(at(name, i + 1, "an include must be written from src/: " + *path));
        } else if (in_folder && !may_include(table, from, *to)) {
            findings.errors.push_back(at(name, i + 1, from + " may not include " + *to + ": " + *path));
        }
    }
}

/// A function's body starts with a line that ends in "{" at the indentation where a line of "}" ends it.
void check_functions(const std::string& name, const std::vector<std::string>& lines, LayerFindings& findings) {
    static const std::regex head(R"(^( *)[A-Za-z_~].*\).*\{$)");
    static const std::regex not_function(R"(^ *(if|for|while|switch|catch|do|else|namespace|struct|class|enum|union|return)\b)");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        if (!std::regex_match(lines[i], match, head) || std::regex_search(lines[i], not_function)) continue;
        const std::string closing = match[1].str() + "}";
        for (std::size_t end = i + 1; end < lines.size(); ++end) {
            if (lines[end] != closing) continue;
            if (end - i + 1 > kLongestFunction) {
                findings.warnings.push_back(at(name, i + 1, "a function of " + std::to_string(end - i + 1) + " lines"));
            }
            break;
        }
    }
}

void check_folders(const LayerTable& table, const fs::path& src, LayerFindings& findings) {
    for (const auto& entry : fs::directory_iterator(src)) {
        if (!entry.is_directory()) continue;
        const auto folder = entry.path().filename().string();
        if (!table.contains(folder)) findings.errors.push_back(at("src/LAYERS", 1, "no line for the folder " + folder));
        if (!fs::exists(entry.path() / "README.md")) findings.errors.push_back(at("src/" + folder, 1, "the folder has no README.md"));
    }
}

bool is_source(const fs::path& file) {
    static const std::set<std::string> endings{".cpp", ".hpp", ".h", ".cc", ".inc"};
    return endings.contains(file.extension().string());
}

}  // namespace

LayerTable read_layers(const fs::path& file) {
    LayerTable table;
    for (const auto& line : lines_of(file)) {
        const auto colon = line.find(':');
        if (line.empty() || line.front() == '#' || colon == std::string::npos) continue;
        std::istringstream rest(line.substr(colon + 1));
        auto& allowed = table[line.substr(0, colon)];
        for (std::string folder; rest >> folder;) allowed.push_back(folder);
    }
    return table;
}

std::vector<std::string> find_cycle(const LayerTable& table) {
    std::set<std::string> done;
    std::vector<std::string> path;
    const std::function<bool(const std::string&)> visit = [&](const std::string& folder) {
        const auto seen = std::find(path.begin(), path.end(), folder);
        const bool closes = seen != path.end();
        if (closes) path.erase(path.begin(), seen);
        path.push_back(folder);
        if (closes) return true;
        if (!done.contains(folder) && table.contains(folder)) {
            for (const auto& next : table.at(folder)) {
                if (visit(next)) return true;
            }
        }
        done.insert(folder);
        path.pop_back();
        return false;
    };
    for (const auto& [folder, allowed] : table) {
        if (visit(folder)) return path;
    }
    return {};
}

LayerFindings check_layers(const fs::path& tree) {
    const auto src = tree / "src";
    const auto table = read_layers(src / "LAYERS");
    LayerFindings findings;
    if (const auto cycle = find_cycle(with_base(table)); !cycle.empty()) {
        std::string folders;
        for (const auto& folder : cycle) folders += " " + folder;
        findings.errors.push_back(at("src/LAYERS", 1, "a cycle:" + folders));
    }
    check_folders(table, src, findings);
    for (const auto& entry : fs::recursive_directory_iterator(src)) {
        if (!entry.is_regular_file() || !is_source(entry.path())) continue;
        const auto name = fs::relative(entry.path(), tree).string();
        const auto lines = lines_of(entry.path());
        if (lines.size() > kLongestFile) {
            findings.errors.push_back(at(name, kLongestFile + 1, "a file of " + std::to_string(lines.size()) + " lines"));
        }
        check_includes(table, src, entry.path(), name, lines, findings);
        check_functions(name, lines, findings);
    }
    std::sort(findings.errors.begin(), findings.errors.end());
    std::sort(findings.warnings.begin(), findings.warnings.end());
    return findings;
}

}  // namespace howdah::tests
