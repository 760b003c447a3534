#include "sample/steps.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "base/failure.hpp"

namespace howdah::sample {

std::vector<std::string> needs_of(std::string_view script) {
    constexpr std::string_view kMark = "-- needs:";
    if (!script.starts_with(kMark)) return {};
    std::istringstream words{std::string(script.substr(kMark.size(), script.find('\n') - kMark.size()))};
    std::vector<std::string> needs;
    for (std::string word; words >> word;) needs.push_back(word);
    return needs;
}

StepQueue::StepQueue(std::vector<Step> steps) : left_(steps.size()) {
    steps_.reserve(steps.size());
    for (auto& step : steps) steps_.push_back({std::move(step), {}, 0, State::waiting});
    link();
    rank();
}

void StepQueue::link() {
    for (auto& entry : steps_) {
        for (const auto& name : entry.step.needs) {
            const auto found = std::ranges::find(steps_, name, [](const Entry& other) { return other.step.name; });
            if (found == steps_.end()) {
                throw base::Failure(base::FailureKind::operation,
                                    fmt::format("sample step {} needs an unknown step: {}", entry.step.name, name));
            }
            entry.needs.push_back(static_cast<std::size_t>(found - steps_.begin()));
        }
    }
}

// A step that is reached from itself would wait for ever; the same walk counts who waits for whom.
void StepQueue::rank() {
    for (std::size_t start = 0; start < steps_.size(); ++start) {
        std::vector<bool> seen(steps_.size(), false);
        std::vector<std::size_t> open = steps_[start].needs;
        while (!open.empty()) {
            const auto at = open.back();
            open.pop_back();
            if (at == start) {
                throw base::Failure(base::FailureKind::operation,
                                    fmt::format("sample steps need each other in a circle: {}", steps_[start].step.name));
            }
            if (seen[at]) continue;
            seen[at] = true;
            ++steps_[at].dependents;
            open.insert(open.end(), steps_[at].needs.begin(), steps_[at].needs.end());
        }
    }
}

bool StepQueue::ready(const Entry& entry) const {
    return entry.state == State::waiting &&
           std::ranges::all_of(entry.needs, [&](std::size_t at) { return steps_[at].state == State::done; });
}

StepQueue::Entry* StepQueue::best() {
    Entry* found = nullptr;
    for (auto& entry : steps_) {
        if (ready(entry) && (found == nullptr || entry.dependents > found->dependents)) found = &entry;
    }
    return found;
}

const Step* StepQueue::next() {
    std::unique_lock lock(mutex_);
    Entry* found = nullptr;
    changed_.wait(lock, [&] { return stopped_ || left_ == 0 || (found = best()) != nullptr; });
    if (stopped_ || found == nullptr) return nullptr;
    found->state = State::running;
    --left_;
    if (left_ == 0) changed_.notify_all();
    return &found->step;
}

void StepQueue::done(const Step& step) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(steps_, &step, [](const Entry& entry) { return &entry.step; });
    if (found != steps_.end()) found->state = State::done;
    changed_.notify_all();
}

void StepQueue::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

}  // namespace howdah::sample
