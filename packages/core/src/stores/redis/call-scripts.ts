import { MARK_BATCH } from './bucket-scripts.js';
import { scriptOf } from './server.js';

/**
 * The list of recent calls: a hash by number, from `f` to `l`, the numbers of the first and the last.
 *
 * - **entry**: seven lines: model, feature, user and outcome as JSON, the start of the call, the id of its
 *   answer as JSON (empty: none), its record. Entries of older versions have six, without the id.
 * - **messages**: a hash beside it: the numbers of calls by the ids of their answers.
 */
const ENDS = String.raw`
local ends = redis.call('HMGET', KEYS[1], 'f', 'l')
local first, last = tonumber(ends[1] or 1), tonumber(ends[2] or 0)
`;

/** Takes numbers out of the list, and the ids of their answers, unless a later call has the same. */
const TAKE = String.raw`
local function messageOf(entry)
  local id = string.match(entry, '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)\n')
  if id ~= '' then return id end
end
local function take(numbers)
  for _, number in ipairs(numbers) do
    local entry = redis.call('HGET', KEYS[1], number)
    local id = entry and messageOf(entry)
    if id and tonumber(redis.call('HGET', KEYS[3], id)) == number then
      redis.call('HDEL', KEYS[3], id)
    end
    redis.call('HDEL', KEYS[1], number)
  end
end
`;

/** ARGV: batch, capacity, milliseconds to keep it all, entries. */
export const ADD_CALLS = scriptOf(String.raw`
local marks = KEYS[2]
${MARK_BATCH}
${ENDS}
${TAKE}
for i = 4, #ARGV do
  last = last + 1
  redis.call('HSET', KEYS[1], last, ARGV[i])
  local id = messageOf(ARGV[i])
  if id then redis.call('HSET', KEYS[3], id, last) end
end
local room, gone = #ARGV + 400, {}
while last - first + 1 > tonumber(ARGV[2]) and #gone < room do
  gone[#gone + 1] = first
  first = first + 1
end
take(gone)
redis.call('HSET', KEYS[1], 'f', first, 'l', last)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return 1
`);

/**
 * ARGV: number to begin below, entries wanted, then model, feature, user and outcome as JSON, each empty
 * where any will do. Answers with the first and last number, the number to go on below (0: there are
 * none), and numbers and entries.
 */
export const PAGE = scriptOf(String.raw`
${ENDS}
local place = math.min(tonumber(ARGV[1]), last + 1) - 1
local wanted, found, looked = tonumber(ARGV[2]), {}, 0
local any = ARGV[3] == '' and ARGV[4] == '' and ARGV[5] == '' and ARGV[6] == ''
local function matches(entry)
  if any then return true end
  local lines = { string.match(entry, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n') }
  for i = 1, 4 do
    if ARGV[2 + i] ~= '' and ARGV[2 + i] ~= lines[i] then return false end
  end
  return true
end
while place >= first and #found < 2 * wanted and looked < 2000 do
  local numbers = {}
  for i = place, math.max(first, place - 99), -1 do numbers[#numbers + 1] = i end
  for i, entry in ipairs(redis.call('HMGET', KEYS[1], unpack(numbers))) do
    if #found == 2 * wanted then break end
    place = numbers[i] - 1
    if entry and matches(entry) then
      found[#found + 1] = numbers[i]
      found[#found + 1] = entry
    end
  end
  looked = looked + #numbers
end
return { first, last, place >= first and place + 1 or 0, found }
`);

/** ARGV: a time. Takes up to 400 calls from the old end that began before it; says how many. */
export const EXPIRE = scriptOf(String.raw`
${ENDS}
${TAKE}
local gone = {}
while first <= last and #gone < 400 do
  local entry = redis.call('HGET', KEYS[1], first)
  local at = entry and string.match(entry, '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n([^\n]*)\n')
  if at and tonumber(at) >= tonumber(ARGV[1]) then break end
  gone[#gone + 1] = first
  first = first + 1
end
if #gone == 0 then return 0 end
redis.call('HSET', KEYS[1], 'f', first)
take(gone)
return #gone
`);

/** ARGV: number, entry as it was, entry as it is to be, number, … */
export const REWRITE = scriptOf(String.raw`
local count = 0
for i = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
    count = count + 1
  end
end
return count
`);

/** ARGV: the id of an answer as JSON. Answers with the entry of its call, or with nothing. */
export const FIND = scriptOf(String.raw`
local number = redis.call('HGET', KEYS[3], ARGV[1])
return number and redis.call('HGET', KEYS[1], number)
`);
