-- What the scripts share: the head of a request, and the report that load.py reads.
bench = {}

function bench.request(method, path, body)
   local lines = { method .. " " .. path .. " HTTP/1.1", "Host: bench", "Authorization: Bearer " .. os.getenv("BENCH_TOKEN") }
   if body then
      lines[#lines + 1] = "Content-Type: application/json"
      lines[#lines + 1] = "Content-Length: " .. #body
   end
   return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

function bench.report(summary, latency)
   local errors = summary.errors
   io.write(string.format('BENCH {"requests": %d, "duration_us": %d, "failed": %d, "p50": %d, "p99": %d, "mean": %f}\n', summary.requests,
      summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50), latency:percentile(99), latency.mean))
end
