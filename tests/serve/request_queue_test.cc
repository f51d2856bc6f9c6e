#include "serve/request_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <string>

#include "serve/content_coding.h"
#include "serve/request_error.h"

namespace lambert {
namespace {

using std::chrono::milliseconds;

class Exchange final : public HttpExchange {
 public:
  void reply(HttpReply) override {}
  void begin(HttpReply) override {}
  void part(std::string) override {}
  void end() override {}
};

std::shared_ptr<HttpExchange> request() {
  return std::make_shared<Exchange>();
}

// Work that tells when it has begun and goes on until it may end.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_for(int begun) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, begun] { return begun_ >= begun; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  bool open_ = false;
};

TEST(TurnTimer, MeasuresOnlyWhileOthersWait) {
  TurnTimer timer;
  TurnTimer::Time now{};
  timer.turn(now, false);
  timer.turn(now + milliseconds(5'000), true);  // idle before
  EXPECT_EQ(timer.seconds(), 0);
  timer.turn(now + milliseconds(5'010), true);
  EXPECT_DOUBLE_EQ(timer.seconds(), 0.010);
  timer.turn(now + milliseconds(5'040), false);
  EXPECT_DOUBLE_EQ(timer.seconds(), 0.020);
  timer.turn(now + milliseconds(90'000), false);
  EXPECT_DOUBLE_EQ(timer.seconds(), 0.020);
}

TEST(TurnTimer, FollowsAChange) {
  TurnTimer timer;
  TurnTimer::Time now{};
  for (int i = 0; i < 500; ++i) timer.turn(now += milliseconds(10), true);
  EXPECT_NEAR(timer.seconds(), 0.010, 1e-9);
  for (int i = 0; i < 500; ++i) timer.turn(now += milliseconds(100), true);
  EXPECT_NEAR(timer.seconds(), 0.100, 0.002);
}

TEST(RequestQueue, AcceptsAsManyAsMayWait) {
  Gate gate;
  RequestQueue queue({.threads = 2, .max_queue = 3}, [&](const auto&) { gate.pass(); });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.push(request(), 0), std::nullopt) << i;
  gate.wait_for(2);
  EXPECT_EQ(queue.waiting(), 3U);
  EXPECT_EQ(queue.push(request(), 0), "max_queue: 3 requests are waiting already");
  EXPECT_EQ(queue.full(), "max_queue: 3 requests are waiting already");
  gate.open();
  queue.close();
  EXPECT_EQ(gate.begun(), 5);
  EXPECT_EQ(queue.push(request(), 0), "the server is stopping");
}

TEST(RequestQueue, RefusesWhatWouldWaitTooLong) {
  RequestQueue queue({.threads = 1, .max_queue = 1'000'000, .max_wait_s = 1e-9},
                     [](const auto&) {});
  std::optional<std::string> why;
  while (!why) why = queue.push(request(), 0);  // known when one's turn comes after another's
  EXPECT_TRUE(why->starts_with("max_wait: it would take ")) << *why;
  queue.close();
}

TEST(RequestQueue, AThreadThatHasJustRestedIsTakenAgain) {
  std::map<std::thread::id, int> taken;
  std::promise<void>* done = nullptr;
  RequestQueue queue({.threads = 8}, [&](const auto&) {
    ++taken[std::this_thread::get_id()];
    done->set_value();
  });
  constexpr int kRequests = 200;
  for (int i = 0; i < kRequests; ++i) {
    std::promise<void> one;
    done = &one;
    ASSERT_EQ(queue.push(request(), 0), std::nullopt);
    one.get_future().wait();
  }
  queue.close();
  // One that is still on its way back is not there yet: a few take turns, not all eight.
  const auto most = std::max_element(
      taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_GT(most->second, kRequests / 4);
}

TEST(RequestQueue, ALargeRequestWaitsAndShortOnesPass) {
  Gate gate;
  RequestQueue queue({.threads = 3, .max_bytes = 10}, [&](const auto&) { gate.pass(); });
  EXPECT_EQ(queue.push(request(), 8), std::nullopt);
  gate.wait_for(1);
  EXPECT_EQ(queue.push(request(), 5), std::nullopt);
  EXPECT_EQ(queue.push(request(), 2), std::nullopt);
  gate.wait_for(2);
  EXPECT_EQ(queue.waiting(), 1U);
  gate.open();
  queue.close();  // the threads that rest end as well
  EXPECT_EQ(gate.begun(), 3);
}

TEST(ContentCoding, SizeIsKnownBeforeItIsUncompressed) {
  const std::string text(300'000, 'a');
  std::string packed = gzip(text);
  EXPECT_LT(packed.size(), 2000U);
  EXPECT_EQ(gunzipped_size(packed), text.size());
  EXPECT_EQ(gunzip(packed, 1 << 20), text);
  EXPECT_EQ(gunzipped_size(""), 0U);
  EXPECT_EQ(gunzipped_size("\x01\x02"), 0x0201U);
  packed[packed.size() - 2] = 0;  // says 37,856
  try {
    gunzip(packed, 1 << 20);
    ADD_FAILURE();
  } catch (const RequestError& error) {
    EXPECT_EQ(error.status(), 400);
  }
}

}  // namespace
}  // namespace lambert
