/**
 * Shared budgets on the server: what they are kept in, and what is done there without anybody asking.
 *
 * - **state**: a hash; `m` + member, `a` + account, `l` + member + account (its lease), `k`: nothing is
 *   overdue before it; `u`: until when all keys are kept.
 * - **index**: names in order; `a` + account, `u` + scope + account (if it is a user's), and of every
 *   lease `m` + member + account and `l` + account + member.
 * - **due, ends**: members by when to look at them, accounts by when to remove them.
 * - **account**: budget, start of the period and scope as JSON, one a line: JSON has no line breaks.
 *
 * Numbers are integers up to 2^53, and doubles in Lua: exact, if they are written with `%d`, which is 64
 * bits wide.
 */
export const BASE = String.raw`
local state, index, due, ends, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local DAY, WEEK, MOST = 86400000, 604800000, 9007199254740991
local MEMBER = '^(%d+) (%d+) (%d+) (%d+) (.*)$'
local ACCOUNT = '^(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d)$'
local call, format, match, min = redis.call, string.format, string.match, math.min
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** `tend()` and `removeAccount()`; made only when they are needed, which is seldom. */
export const UPKEEP = String.raw`
local function between(prefix, most)
  return call('ZRANGEBYLEX', index, '[' .. prefix .. '\n', '(' .. prefix .. '\11', 'LIMIT', 0, most)
end

-- Of a member that has not been heard of.
local function letGoAll(name)
  local skip = #name + 3
  while true do
    local entries = between('m' .. name, 500)
    if #entries == 0 then return end
    local fields, others = {}, {}
    for i, entry in ipairs(entries) do
      local id = string.sub(entry, skip)
      fields[i] = 'l' .. name .. '\n' .. id
      fields[#entries + i] = 'a' .. id
      others[i] = 'l' .. id .. '\n' .. name
    end
    local got = call('HMGET', state, unpack(fields))
    local changes = {}
    for i = 1, #entries do
      local account = got[#entries + i]
      if account then
        local spent, held, rest = match(account, '^(%d+),(%d+)(.*)$')
        held = tonumber(held) - tonumber(got[i] or 0)
        changes[#changes + 1] = fields[#entries + i]
        changes[#changes + 1] = spent .. ',' .. format('%d', held) .. rest
      end
    end
    if #changes > 0 then call('HSET', state, unpack(changes)) end
    call('HDEL', state, unpack(fields, 1, #entries))
    call('ZREM', index, unpack(entries))
    call('ZREM', index, unpack(others))
  end
end

local function removeAccount(id)
  while true do
    local entries = between('l' .. id, 500)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do
      local name = string.sub(entry, #id + 3)
      call('HDEL', state, 'l' .. name .. '\n' .. id)
      call('ZREM', index, entry, 'm' .. name .. '\n' .. id)
    end
  end
  local scope = match(id, '^[^\n]*\n[^\n]*\n(.*)$')
  call('HDEL', state, 'a' .. id)
  call('ZREM', index, 'a' .. id, 'u' .. scope .. '\n' .. id)
  call('ZREM', ends, id)
end

-- Members that are overdue, all of them; accounts that have ended, some of them. Returns the next "k".
local function tend(self)
  while true do
    local names = call('ZRANGEBYSCORE', due, '-inf', format('%d', now), 'LIMIT', 0, 100)
    if #names == 0 then break end
    for _, name in ipairs(names) do
      local member = name ~= self and call('HGET', state, 'm' .. name)
      if not member then
        call('ZREM', due, name)
      else
        local number, expiry, heard, _, answer = match(member, MEMBER)
        local look = tonumber(expiry)
        if look <= now then
          letGoAll(name)
          look = tonumber(heard) + DAY
        end
        if look <= now then
          call('HDEL', state, 'm' .. name)
          call('ZREM', due, name)
        else
          call('ZADD', due, format('%d', look), name)
          call('HSET', state, 'm' .. name,
            number .. ' ' .. expiry .. ' ' .. heard .. ' ' .. format('%d', look) .. ' ' .. answer)
        end
      end
    end
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', ends, '-inf', format('%d', now), 'LIMIT', 0, 100)) do
    local account = call('HGET', state, 'a' .. id)
    local touched = account and tonumber((select(7, match(account, ACCOUNT))))
    if touched and touched + WEEK > now then
      call('ZADD', ends, format('%d', touched + WEEK), id)
    else
      removeAccount(id)
    end
  end
  local look = math.huge
  for _, key in ipairs({ due, ends }) do
    local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if first[2] then look = min(look, tonumber(first[2])) end
  end
  return look
end
`;
