#include <utility>

#include "howdah/testing.hpp"

namespace howdah::inline v0::testing {

void Faults::add(const Fault& fault) {
    const std::scoped_lock lock(mutex_);
    if (fault.times > 0) faults_.push_back(fault);
}

void Faults::fail_dials(unsigned times, Error error) {
    const std::scoped_lock lock(mutex_);
    dial_failures_ = times;
    dial_error_ = std::move(error);
}

void Faults::clear() {
    const std::scoped_lock lock(mutex_);
    faults_.clear();
    dial_failures_ = 0;
}

unsigned Faults::happened() const {
    const std::scoped_lock lock(mutex_);
    return happened_;
}

std::optional<Fault> Faults::next(Fault::At at) {
    const std::scoped_lock lock(mutex_);
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
        if (fault->at != at) continue;
        if (fault->skip > 0) {
            --fault->skip;
            return std::nullopt;
        }
        const Fault found = *fault;
        if (--fault->times == 0) faults_.erase(fault);
        ++happened_;
        return found;
    }
    return std::nullopt;
}

std::optional<Error> Faults::next_dial() {
    const std::scoped_lock lock(mutex_);
    if (dial_failures_ == 0) return std::nullopt;
    --dial_failures_;
    ++happened_;
    return dial_error_;
}

}  // namespace howdah::inline v0::testing
