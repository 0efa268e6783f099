import { scriptOf } from './server.js';

/**
 * What the server does with the blocks of a bucket, each as one step. Blocks are only appended, and from
 * time to time those at the beginning are replaced by fewer that say the same.
 *
 * - **meta**: a hash; for each table (a letter) `v` how often blocks were replaced, `d` deltas and `x`
 *   their bytes, `b` bytes of whole blocks, `l` until when somebody is about to replace them.
 */
const NOW = String.raw`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function int(n) return string.format('%.0f', n) end
`;

/** Marks a batch by its name, unless it is there: then the script ends. Names are kept for a day. */
export const MARK_BATCH = String.raw`
${NOW}
local DAY = 86400000
if redis.call('ZSCORE', marks, ARGV[1]) then return false end
redis.call('ZADD', marks, int(now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', marks, '-inf', '(' .. int(now - DAY))
redis.call('PEXPIRE', marks, DAY)
`;

/**
 * KEYS: marks, meta, lists of blocks. ARGV: batch, milliseconds to keep it all, then for each list: its
 * table, how many blocks, the blocks. Answers with `d`, `x` and `b` of every table.
 */
export const ADD = scriptOf(String.raw`
local marks, meta = KEYS[1], KEYS[2]
${MARK_BATCH}
local ttl = tonumber(ARGV[2])
local function keep(key)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, int(ttl)) end
end
local place = 3
for k = 3, #KEYS do
  local letter, count, bytes = ARGV[place], tonumber(ARGV[place + 1]), 0
  place = place + 2
  for i = place, place + count - 1 do
    redis.call('RPUSH', KEYS[k], ARGV[i])
    bytes = bytes + #ARGV[i]
  end
  place = place + count
  redis.call('HINCRBY', meta, letter .. 'd', count)
  redis.call('HINCRBY', meta, letter .. 'x', bytes)
  keep(KEYS[k])
end
keep(meta)
return redis.call('HMGET', meta, 'td', 'tx', 'tb', 'fd', 'fx', 'fb', 'ud', 'ux', 'ub')
`);

/** KEYS: lists of one bucket. Answers with all of their blocks, as they are together. */
export const READ = scriptOf(String.raw`
local lists = {}
for i, key in ipairs(KEYS) do lists[i] = redis.call('LRANGE', key, 0, -1) end
return lists
`);

/**
 * KEYS: meta, lists of a table. ARGV: table, for how long nobody else may begin, a text that has to be
 * in some block; if that is empty, there have to be deltas. Answers with the version, `d`, `x`, and the
 * lists; with nothing if there is nothing to do, or somebody else does it.
 */
export const BEGIN = scriptOf(String.raw`
${NOW}
local meta, letter, needle = KEYS[1], ARGV[1], ARGV[3]
local version, deltas, bytes, locked = unpack(
  redis.call('HMGET', meta, letter .. 'v', letter .. 'd', letter .. 'x', letter .. 'l'))
if needle == '' then
  if tonumber(deltas or 0) <= 0 or tonumber(locked or 0) > now then return false end
end
local lists, found = {}, needle == ''
for k = 2, #KEYS do
  lists[k - 1] = redis.call('LRANGE', KEYS[k], 0, -1)
  for _, block in ipairs(lists[k - 1]) do
    found = found or string.find(block, needle, 1, true) ~= nil
  end
end
if not found then return false end
redis.call('HSET', meta, letter .. 'l', int(now + tonumber(ARGV[2])))
return { version or '0', deltas or '0', bytes or '0', lists }
`);

/**
 * KEYS: meta, lists of a table. ARGV: table, version, deltas and bytes that are replaced, bytes of the
 * new blocks; then for each list: how many blocks are replaced, how many new ones, these. 1: done.
 */
export const SWAP = scriptOf(String.raw`
local meta, letter = KEYS[1], ARGV[1]
if (redis.call('HGET', meta, letter .. 'v') or '0') ~= ARGV[2] then return 0 end
local place, parts = 6, {}
for k = 2, #KEYS do
  local old, count = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
  if redis.call('LLEN', KEYS[k]) < old then return 0 end
  parts[k] = { old, place + 2, count }
  place = place + 2 + count
end
redis.call('HINCRBY', meta, letter .. 'v', 1)
for k = 2, #KEYS do
  local old, first, count = unpack(parts[k])
  local ttl = redis.call('PTTL', KEYS[k])
  redis.call('LTRIM', KEYS[k], old, -1)
  for i = first + count - 1, first, -1 do redis.call('LPUSH', KEYS[k], ARGV[i]) end
  if ttl > 0 then redis.call('PEXPIRE', KEYS[k], ttl) end
end
redis.call('HINCRBY', meta, letter .. 'd', string.format('%d', -tonumber(ARGV[3])))
redis.call('HINCRBY', meta, letter .. 'x', string.format('%d', -tonumber(ARGV[4])))
redis.call('HSET', meta, letter .. 'b', ARGV[5])
redis.call('HDEL', meta, letter .. 'l')
return 1
`);

/**
 * KEYS: starts of buckets, their ends. ARGV: start, milliseconds to keep it, start, … The ends are by the
 * server's clock, so that a process whose clock is wrong removes nothing that others have.
 */
export const LIST_BUCKETS = scriptOf(String.raw`
${NOW}
for i = 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i])
  redis.call('ZADD', KEYS[2], 'GT', int(now + tonumber(ARGV[i + 1])), ARGV[i])
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', int(now), 'LIMIT', 0, 500)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
if last[2] then
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, int(tonumber(last[2]))) end
end
return 1
`);
