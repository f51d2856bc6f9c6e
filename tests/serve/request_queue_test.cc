// Which request is worked on when, and what gzip counts for.
#include "serve/request_queue.h"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "serve/content_coding.h"
#include "serve/request_error.h"

namespace lambert {
namespace {

struct Exchange final : HttpExchange {
  void reply(HttpReply) override {}
  void begin(HttpReply) override {}
  void part(std::string) override {}
  void end() override {}
};

TEST(RequestQueue, ARequestCountsForTheBytesThatItIsPushedWith) {
  std::promise<void> first_may_end, third_done;
  std::string order;  // of what ends; guarded by the promises
  const auto work = [&](const std::shared_ptr<HttpExchange>& exchange) {
    if (exchange->peer == "1") first_may_end.get_future().wait();
    order += exchange->peer;
    if (exchange->peer == "3") third_done.set_value();
  };
  RequestQueue queue(10, 2, 10, work);
  const std::pair<const char*, std::size_t> requests[] = {{"1", 8}, {"2", 8}, {"3", 1}};
  for (const auto& [name, bytes] : requests) {
    auto exchange = std::make_shared<Exchange>();  // whose body is empty
    exchange->peer = name;
    EXPECT_TRUE(queue.push(std::move(exchange), bytes));
  }
  third_done.get_future().wait();
  first_may_end.set_value();
  queue.close();
  EXPECT_EQ(order, "312");
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
