/**
 * Writes items as Dapr's `state.redis` keeps them: a hash with `data`,
 * `version`, which is the etag and counts up, and `first-write` where one was
 * asked for. An etag is compared with one that is there, as in Dapr: whatever has
 * none is written and deleted beside any. All is checked before anything is written, in one step of Redis.
 *
 * KEYS: one for each operation.
 * ARGV: whether all or none (1, 0), then five for each operation: what (`set`,
 * `delete`), its etag (empty: any), first write only (1, 0), data, and how many
 * seconds it lives (empty: as before; 0 or less: for ever).
 *
 * Answers which of them conflict and were not done; where all or none were
 * asked for, the first.
 */
export const WRITE = `
local atomic = ARGV[1] == '1'

local function versionOf(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return nil end
  if kind ~= 'hash' then return '' end
  return redis.call('HGET', key, 'version') or ''
end

local function conflicts(key, etag, first)
  if etag == '' and not first then return false end
  local version = versionOf(key)
  if etag == '' then return version ~= nil end
  return version ~= nil and version ~= '' and version ~= etag
end

local function write(key, at)
  if ARGV[at] == 'delete' then
    redis.call('DEL', key)
    return
  end
  if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
  redis.call('HSET', key, 'data', ARGV[at + 3])
  if ARGV[at + 2] == '1' then redis.call('HSET', key, 'first-write', 0) end
  redis.call('HINCRBY', key, 'version', 1)
  local seconds = tonumber(ARGV[at + 4])
  if seconds and seconds > 0 then redis.call('EXPIRE', key, seconds)
  elseif seconds then redis.call('PERSIST', key) end
end

if atomic then
  for n, key in ipairs(KEYS) do
    local at = 5 * n - 3
    if conflicts(key, ARGV[at + 1], ARGV[at + 2] == '1') then return { n } end
  end
end
local refused = {}
for n, key in ipairs(KEYS) do
  local at = 5 * n - 3
  if not atomic and conflicts(key, ARGV[at + 1], ARGV[at + 2] == '1') then
    table.insert(refused, n)
  else
    write(key, at)
  end
end
return refused
`;
