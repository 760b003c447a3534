#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

/// The service's own record: a line "promised ID" before a payment is tried and "paid ID" when it is known to be made. Thread-safe.
class Ledger {
public:
    explicit Ledger(const std::string& path) {
        std::ifstream before(path);
        std::set<std::string> owed;
        for (std::string word, payment; before >> word >> payment;) {
            if (word == "promised") owed.insert(payment);
            if (word == "paid") owed.erase(payment);
        }
        owed_.assign(owed.begin(), owed.end());
        file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (file_ < 0) throw std::runtime_error("cannot open " + path);
    }
    ~Ledger() { ::close(file_); }
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    /// Promised by an earlier run of the service and not known to be paid.
    const std::vector<std::string>& owed() const { return owed_; }

    /// A payment that there never was before.
    std::string promise(int worker, int number) {
        const std::string payment = "payment-" + run_ + "-" + std::to_string(worker) + "-" + std::to_string(number);
        write("promised " + payment + "\n");
        return payment;
    }
    void paid(const std::string& payment) { write("paid " + payment + "\n"); }

private:
    void write(const std::string& line) {
        const std::lock_guard lock(mutex_);
        if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw std::runtime_error("ledger: short write");
    }

    std::string run_ = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    std::vector<std::string> owed_;
    std::mutex mutex_;
    int file_ = -1;
};
