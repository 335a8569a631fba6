// Lines for a pipe that is full: each comes whole, or is dropped and counted.
#include "shim/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace relygate::shim {
namespace {

class FullPipe : public ::testing::Test {
  protected:
    FullPipe() : path_(::testing::TempDir() + "relygate-log." + std::to_string(getpid())) {
        mkfifo(path_.c_str(), 0600);
        reader_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        fcntl(reader_, F_SETPIPE_SZ, 4096);
    }
    ~FullPipe() override {
        close(reader_);
        unlink(path_.c_str());
    }

    std::string read_all() const {
        std::string text(1 << 20, '\0');
        const auto length = read(reader_, text.data(), text.size());
        text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return text;
    }

    std::string path_;
    int reader_ = -1;
};

std::string line(char letter, std::size_t length) {
    return std::string(length - 1, letter) + "\n";
}

TEST_F(FullPipe, TakesWholeLinesAndCountsTheRest) {
    Log log(LogLevel::info, "1", path_);
    ASSERT_TRUE(log.is_open());
    const auto thousand = line('a', 1000);
    log.write(thousand + thousand + thousand + thousand + thousand + thousand);
    EXPECT_EQ(log.lines_dropped(), 2U);
    log.write(thousand);
    EXPECT_EQ(log.lines_dropped(), 3U);
    EXPECT_EQ(read_all(), thousand + thousand + thousand + thousand);
    log.write(line('b', 4096));
    EXPECT_EQ(read_all(), line('b', 4096));
    EXPECT_EQ(log.lines_dropped(), 3U);
}

TEST_F(FullPipe, EndsALongLineBeforeTheNext) {
    Log log(LogLevel::info, "1", path_);
    const auto long_line = line('l', 10'000);
    log.write(long_line + line('a', 10));
    EXPECT_EQ(log.lines_dropped(), 1U);
    auto text = read_all();
    log.write(line('b', 10));
    EXPECT_EQ(log.lines_dropped(), 2U) << "the long line still fills the pipe";
    text += read_all();
    log.write(line('c', 10));
    EXPECT_EQ(text + read_all(), long_line + line('c', 10));
    EXPECT_EQ(log.lines_dropped(), 2U);
}

TEST_F(FullPipe, ReopensWithoutTheRestOfALine) {
    Log log(LogLevel::info, "1", path_);
    log.write(line('l', 10'000));
    read_all();
    log.reopen();
    EXPECT_EQ(log.lines_dropped(), 1U);
    log.write(line('a', 10));
    EXPECT_EQ(read_all(), line('a', 10));
}

} // namespace
} // namespace relygate::shim
