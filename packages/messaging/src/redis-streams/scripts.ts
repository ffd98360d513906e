import { createHash } from 'node:crypto';

/** Runs as one: nobody sees half of it, and an error before its first write leaves nothing. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/**
 * Takes off the stream what every group has acknowledged: all before the oldest entry that one has
 * in hand or has not been given. Returns the group that holds most; none without groups, whose
 * stream keeps everything.
 */
const TRIM = `
local function before(a, b)
  local aMs, aSeq = string.match(a, '(%d+)-(%d+)')
  local bMs, bSeq = string.match(b, '(%d+)-(%d+)')
  if #aMs ~= #bMs then return #aMs < #bMs end
  if aMs ~= bMs then return aMs < bMs end
  if #aSeq ~= #bSeq then return #aSeq < #bSeq end
  return aSeq < bSeq
end
local function after(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  if #seq > 15 then return id end
  return ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
end
local function named(flat)
  local all = {}
  for at = 1, #flat, 2 do all[flat[at]] = flat[at + 1] end
  return all
end
local function trim(stream)
  local oldest, slowest
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = named(flat)
    local first = after(group['last-delivered-id'])
    if group['pending'] > 0 then first = redis.call('XPENDING', stream, group['name'])[2] end
    if not oldest or before(first, oldest) then oldest, slowest = first, group['name'] end
  end
  if oldest then redis.call('XTRIM', stream, 'MINID', oldest) end
  return slowest
end
`;

/**
 * Adds messages, in order, as many as there is room for; answers how many, and which group the
 * stream is full for. One that comes after its time, out of a buffer of a server that stood still,
 * adds nothing: its caller has been told that it failed.
 *
 * KEYS stream; ARGV deadline (ms, Redis's clock), most entries, messages, then for each the number of its fields, and those.
 */
export const ADD = script(`${TRIM}
local stream, most, count = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = redis.call('TIME')
if tonumber(now[1]) * 1000 + tonumber(now[2]) / 1000 > tonumber(ARGV[1]) then
  return redis.error_reply('LATE the time for this publication is over')
end
local room, slowest = count, ''
if most > 0 then
  room = most - redis.call('XLEN', stream)
  if room < count and redis.call('EXISTS', stream) == 1 then
    slowest = trim(stream) or ''
    room = most - redis.call('XLEN', stream)
  end
end
local at, added = 4, 0
while added < count and added < room do
  local fields = tonumber(ARGV[at])
  redis.call('XADD', stream, '*', unpack(ARGV, at + 1, at + fields))
  at = at + fields + 1
  added = added + 1
end
return { added, slowest }
`);

/**
 * Makes the group where it is missing, and asks to be at work for it. A group of turns (`mine` is a
 * name) has one holder: `kept` if we are it, under an earlier name, `taken` if nobody is, else
 * `wait`. Members side by side all are. `other`: those at work want it the other way.
 *
 * KEYS stream, holder; ARGV group, first id, mine, how our names begin, consumer, ms until it lapses, what SHARED is.
 */
export const ENTER = script(`
local stream, holder, group, mine, consumer, shared = KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[5], ARGV[7]
-- Changes nothing. A script that has written is not stopped for want of memory, and a Redis that
-- is full is emptied by those who get in here.
redis.call('XACK', stream, group, '0-0')
local made = redis.pcall('XGROUP', 'CREATE', stream, group, ARGV[2], 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
local who = redis.call('GET', holder)
if who and (mine == shared) ~= (who == shared) then return 'other' end
if mine == shared then
  redis.call('SET', holder, mine, 'PX', ARGV[6])
  return 'kept'
end
if who and string.sub(who, 1, #ARGV[4]) ~= ARGV[4] then return 'wait' end
redis.call('SET', holder, mine, 'PX', ARGV[6])
if who then return 'kept' end
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  -- Members that worked side by side left it, in an earlier configuration.
  while flat[2] ~= consumer do
    local left = redis.call('XPENDING', stream, group, '-', '+', 1000, flat[2])
    if #left == 0 then break end
    for _, one in ipairs(left) do
      if #redis.call('XCLAIM', stream, group, consumer, 0, one[1], 'JUSTID') == 0 then
        redis.call('XACK', stream, group, one[1])
      end
    end
  end
end
return 'taken'
`);

/**
 * Takes entries: of our own after `from`, or with `>` those nobody has been given. Answers them, how
 * often each was delivered, and the last id the group was given; nil where we are not at work. To read
 * what is in hand again, as after a loss of the connection, is no delivery.
 *
 * KEYS stream, holder; ARGV group, consumer, mine, ms until it lapses, most, from, ids in hand.
 */
export const TAKE = script(`
local stream, holder, group, consumer, from = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[6]
if redis.call('GET', holder) ~= ARGV[3] then return nil end
redis.call('PEXPIRE', holder, ARGV[4])
local got = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', ARGV[5], 'STREAMS', stream, from)
local entries, counts, last = {}, {}, ''
if got then entries = got[1][2] end
local known = {}
for at = 7, #ARGV do known[ARGV[at]] = true end
for at, entry in ipairs(entries) do
  local one = from ~= '>' and redis.call('XPENDING', stream, group, entry[1], entry[1], 1)[1]
  counts[at] = one and one[4] or 1
  if known[entry[1]] and one then
    redis.call('XCLAIM', stream, group, consumer, 0, entry[1], 'RETRYCOUNT', one[4] - 1, 'JUSTID')
  end
end
if #entries == 0 then
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local name
    for at = 1, #flat, 2 do
      if flat[at] == 'name' then name = flat[at + 1] end
      if flat[at] == 'last-delivered-id' and name == group then last = flat[at + 1] end
    end
  end
end
return { entries, counts, last }
`);

/**
 * Takes over, side by side, what others have held for too long without a word.
 *
 * KEYS stream; ARGV group, consumer, ms, cursor, most.
 */
export const CLAIM = script(`
local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local got = redis.call('XAUTOCLAIM', stream, group, consumer, ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local entries, counts = {}, {}
for _, entry in ipairs(got[2]) do
  local one = entry and redis.call('XPENDING', stream, group, entry[1], entry[1], 1)[1]
  if one then
    entries[#entries + 1] = entry
    counts[#entries] = one[4]
  end
end
return { entries, counts, got[1] }
`);

/**
 * Says that we are at work, and side by side, on which entries. Answers those that are another's
 * by now; nil where the turn is.
 *
 * KEYS stream, holder; ARGV group, consumer, mine, ms until it lapses, what SHARED is, ids.
 */
export const RENEW = script(`
local stream, holder, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local who = redis.call('GET', holder)
if ARGV[3] ~= ARGV[5] then
  if who ~= ARGV[3] then return nil end
  redis.call('PEXPIRE', holder, ARGV[4])
  return {}
end
if who and who ~= ARGV[3] then return nil end
if not who then redis.call('SET', holder, ARGV[3], 'PX', ARGV[4]) end
redis.call('PEXPIRE', holder, ARGV[4])
local gone = {}
for at = 6, #ARGV do
  local id = ARGV[at]
  if #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 0
    or #redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID') == 0 then
    gone[#gone + 1] = id
  end
end
return gone
`);

/**
 * Leaves: the turn is free, and what was taken side by side can be claimed at once. An entry that
 * no handler has seen is as if it had not been delivered.
 *
 * KEYS stream, holder; ARGV group, consumer, mine, ms, what SHARED is, then id and deliveries of each.
 */
export const LEAVE = script(`
local stream, holder, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local shared = ARGV[3] == ARGV[5]
if not shared and redis.call('GET', holder) ~= ARGV[3] then return 0 end
for at = 6, #ARGV, 2 do
  local id = ARGV[at]
  if #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 1 then
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', ARGV[4], 'RETRYCOUNT', ARGV[at + 1], 'JUSTID')
  end
end
if not shared then return redis.call('DEL', holder) end
if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
end
return 1
`);

/**
 * Trims, and forgets consumers of the group that have nothing in hand and said nothing for long.
 *
 * KEYS stream; ARGV group, ms, our consumer.
 */
export const TIDY = script(`${TRIM}
local stream, group = KEYS[1], ARGV[1]
trim(stream)
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local one = named(flat)
  if one['pending'] == 0 and one['idle'] > tonumber(ARGV[2]) and one['name'] ~= ARGV[3] then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, one['name'])
  end
end
return 1
`);
