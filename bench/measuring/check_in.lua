-- Walk-ins: each a new visitor at the next of many sites. BENCH_FIRST: the first number of a mobile that nobody has.
local folder = debug.getinfo(1, "S").source:match("@(.*/)")
dofile(folder .. "common.lua")
local requests, number, sites = {}, tonumber(os.getenv("BENCH_FIRST")), 0

function init()
   for site in os.getenv("BENCH_SITES"):gmatch("[^,]+") do
      sites = sites + 1
      local body = os.getenv("BENCH_BODY"):gsub("SITE", site)
      requests[sites] = bench.request("POST", os.getenv("BENCH_PATH"), body)
   end
end

function request()
   number = number + 1
   -- MOBILE## is as long as the number that replaces it, so the Content-Length stays right.
   return (requests[number % sites + 1]:gsub("MOBILE##", string.format("%08d", number), 1))
end

function done(summary, latency)
   bench.report(summary, latency)
end
