-- Reads one visit after the other. BENCH_PACE_MS: the mean pause of a connection between two requests, drawn at random.
local folder = debug.getinfo(1, "S").source:match("@(.*/)")
dofile(folder .. "common.lua")
local requests, turn = {}, 0
local pace = tonumber(os.getenv("BENCH_PACE_MS") or "0")

function init()
   for n = 1, 1000 do
      local body = os.getenv("BENCH_BODY")
      local path = os.getenv("BENCH_PATH") .. (body and "" or (99999 + n) .. (os.getenv("BENCH_SUFFIX") or ""))
      requests[n] = bench.request(body and "POST" or "GET", path, body and body:gsub("NUMBER", 99999 + n))
   end
   math.randomseed(4711)
end

function request()
   turn = turn % 1000 + 1
   return requests[turn]
end

if pace > 0 then
   function delay()
      return math.floor(-math.log(1 - math.random()) * pace + 0.5)
   end
end

function done(summary, latency)
   bench.report(summary, latency)
end
