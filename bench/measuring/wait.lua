-- Calls the route BENCH_PATH, which takes BENCH_MS milliseconds.
local folder = debug.getinfo(1, "S").source:match("@(.*/)")
dofile(folder .. "common.lua")
local one

function init()
   one = bench.request("GET", os.getenv("BENCH_PATH") .. "?milliseconds=" .. os.getenv("BENCH_MS"))
end

function request()
   return one
end

function done(summary, latency)
   bench.report(summary, latency)
end
