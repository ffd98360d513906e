/**
 * `exchange` of `breaker/shared/shared-record.ts` in Redis' own terms: one hash
 * per circuit, one step per report, Redis' clock. The contract test of circuit
 * stores holds the two to the same answers.
 *
 * KEYS[1]: the circuit.
 * ARGV: node, failing (0 or 1), era, leaseMs, openMs, quorum's nodes and ratio,
 * probeMs, how probing ended ('', 'well', 'failing'), most nodes to keep.
 */
export const EXCHANGE = `
local key = KEYS[1]
local node, failing, era = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local leaseMs, openMs = tonumber(ARGV[4]), tonumber(ARGV[5])
local quorumNodes, quorumRatio = tonumber(ARGV[6]), tonumber(ARGV[7])
local probeMs, probed, limit = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local state, nodes, live = { era = tostring(now), open = '0', until_ = '0', prober = '', lease = '0', loser = '' }, {}, 0
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
  local name, value = flat[i], flat[i + 1]
  if string.sub(name, 1, 2) == 'n:' then
    local untilMs, found = string.match(value, '^(%d+):([01])$')
    if untilMs and tonumber(untilMs) > now then
      nodes[string.sub(name, 3)] = { untilMs = untilMs, failing = found == '1' }
      live = live + 1
    else
      redis.call('HDEL', key, name)
    end
  else
    state[name] = value
  end
end

local function set(name, value)
  state[name] = value
  redis.call('HSET', key, name, value)
end
local function write(name)
  local each = nodes[name]
  redis.call('HSET', key, 'n:' .. name, each.untilMs .. ':' .. (each.failing and '1' or '0'))
end

if #flat == 0 then set('era', tostring(now)) end
if era == tonumber(state.era) and probed ~= '' and state.open == '1' and state.prober == node then
  set('prober', '')
  if probed == 'failing' then
    set('loser', node)
    set('until_', tostring(now + openMs))
  else
    set('open', '0')
    set('loser', '')
    set('era', tostring(math.max(tonumber(state.era) + 1, now)))
    for name, each in pairs(nodes) do
      each.failing = false
      write(name)
    end
  end
end

if nodes[node] or live < limit then
  if not nodes[node] then live = live + 1 end
  nodes[node] = { untilMs = tostring(now + leaseMs), failing = failing and era == tonumber(state.era) }
  write(node)
end

local count = 0
for _, each in pairs(nodes) do if each.failing then count = count + 1 end end
if state.open == '0' and count >= quorumNodes and count >= quorumRatio * live then
  set('open', '1')
  set('until_', tostring(now + openMs))
end

local isOpen = state.open == '1'
local leftMs = isOpen and math.max(0, tonumber(state.until_) - now) or 0
local mayProbe = 0
if isOpen and probeMs > 0 and leftMs == 0 then
  local isFree = state.prober == '' or state.prober == node or tonumber(state.lease) <= now
  local hasOthers = live > 1 and now < tonumber(state.until_) + leaseMs
  if isFree and not (state.loser == node and hasOthers) then
    set('prober', node)
    set('lease', tostring(now + probeMs))
    mayProbe = 1
  end
end
redis.call('PEXPIRE', key, leftMs + probeMs + leaseMs * 2)
return { tonumber(state.era), isOpen and 1 or 0, leftMs, live, count, mayProbe }
`;
