import { scriptOf } from './server.js';
import { BASE, UPKEEP } from './upkeep-script.js';

/**
 * `applyExchange()` of exchange.ts once more, in Lua, so that an exchange is one step and one round
 * trip. A test holds the two equal. See upkeep-script.ts for what money is kept in.
 *
 * ARGV: member; JSON `[number, ttl, accounts, postings, adjustments, gifts, takings]`, each list flat
 * (end and whether it is a user's; what postings and so on are made of; how many wants, and these); the
 * names of the accounts; time and reason of each adjustment. All numbers are in one text: to read many
 * short ones takes longer.
 *
 * Answers with JSON `[[[spent, held, …], …], adjusted, refused]`.
 */
export const EXCHANGE = scriptOf(String.raw`
${BASE}
local member = ARGV[1]
local number, ttl, given, postings, adjustments, gifts, takings = unpack(cjson.decode(ARGV[2]))
local count = #given / 2
local expiry = now + ttl
local fields = { 'k', 'u', 'm' .. member }
local lease = 'l' .. member .. '\n'
for i = 1, count do
  fields[3 + i] = 'a' .. ARGV[2 + i]
  fields[3 + count + i] = lease .. ARGV[2 + i]
end
local got
if #fields < 4000 then
  got = call('HMGET', state, unpack(fields))
else
  got = {}
  for i = 1, #fields, 4000 do
    local last = min(i + 3999, #fields)
    local some = call('HMGET', state, unpack(fields, i, last))
    for j = 1, last - i + 1 do got[i + j - 1] = some[j] end
  end
end
local last, look, answer = 0, nil, nil
if got[3] then
  local a, _, _, d, e = match(got[3], MEMBER)
  last, look, answer = tonumber(a), tonumber(d), e
end
local k, kept, changes = tonumber(got[1] or '0'), tonumber(got[2] or '0'), {}
local knownK, renewed = k, now + ttl + DAY > kept
if k <= now then
  -- The first thing that is written is something that a server without memory refuses.
  call('HSET', state, 'k', got[1] or '0')
  ${UPKEEP}
  k = tend(member)
  if look and look <= now then look = nil end
  for i = 4, #fields do got[i] = call('HGET', state, fields[i]) end
end
if not look or expiry < look then
  call('ZADD', due, format('%d', expiry), member)
  look = expiry
  k = min(k, look)
end
if renewed then kept = now + ttl + 8 * DAY end

if number > last then
  local accounts = {}
  for i = 1, count do
    local raw, leased = got[3 + i], tonumber(got[3 + count + i] or 0)
    if raw then
      local spent, held, uncertain, overrun, unpriced, refused, _, personal = match(raw, ACCOUNT)
      spent, refused = tonumber(spent), tonumber(refused)
      accounts[i] = {
        spent = spent, held = tonumber(held), uncertain = tonumber(uncertain),
        overrun = tonumber(overrun), unpriced = tonumber(unpriced), refused = refused,
        leased = leased, lease = leased, spentBefore = spent, refusedBefore = refused,
        personal = personal,
      }
    else
      accounts[i] = {
        spent = 0, held = 0, uncertain = 0, overrun = 0, unpriced = 0, refused = 0,
        leased = leased, lease = leased, spentBefore = 0, refusedBefore = 0,
      }
    end
  end

  for i = 1, #postings, 7 do
    local account, leased = accounts[postings[i] + 1], postings[i + 2]
    local covered = min(account.leased, leased)
    account.held = account.held - covered
    account.spent = min(account.spent + postings[i + 1], MOST)
    account.uncertain = min(account.uncertain + postings[i + 3], MOST)
    account.overrun = min(account.overrun + (postings[i + 4] + leased - covered), MOST)
    account.unpriced = account.unpriced + postings[i + 5]
    account.leased = account.leased - covered
    account.refused = account.refused + postings[i + 6]
  end

  local adjusted = {}
  for i = 1, #adjustments, 2 do
    local place = adjustments[i] + 1
    local account, text = accounts[place], 2 + count + i
    local spent = account.spent
    account.spent = math.max(0, min(spent + adjustments[i + 1], MOST))
    account.uncertain = min(account.uncertain, account.spent)
    account.overrun = min(account.overrun, account.spent)
    local added = format('%d', account.spent - spent)
    adjusted[#adjusted + 1] = added
    call('LPUSH', log, ARGV[2 + place] .. '\n' .. given[2 * place] .. '\n' .. ARGV[text] .. '\n' ..
      added .. '\n' .. ARGV[text + 1])
  end
  if #adjusted > 0 then
    call('LTRIM', log, 0, 9999)
    renewed = true
  end

  for i = 1, #gifts, 2 do
    local account = accounts[gifts[i] + 1]
    local amount = min(gifts[i + 1], account.leased)
    account.leased = account.leased - amount
    account.held = account.held - amount
  end

  local refused, place = {}, 1
  while place <= #takings do
    local first, without = place + 1, -1
    place = first + 4 * takings[place]
    for i = first, place - 1, 4 do
      local account, limit = accounts[takings[i] + 1], takings[i + 1]
      local fits = limit == math.huge or account.spent + account.held + takings[i + 2] <= limit
      if not fits then
        without = (i - first) / 4
        break
      end
    end
    if without == -1 then
      for i = first, place - 1, 4 do
        local account, need = accounts[takings[i] + 1], takings[i + 2]
        local left = takings[i + 1] - account.spent - account.held - need
        local extra = math.max(0, min(takings[i + 3], math.floor(left / 8)))
        local held = account.held
        account.held = min(held + (need + extra), MOST)
        account.leased = account.leased + (account.held - held)
      end
    end
    refused[#refused + 1] = without
  end

  local answers = {}
  for i, account in ipairs(accounts) do
    local id, personal = ARGV[2 + i], given[2 * i]
    local numbers = format('%d,%d,%d,%d,%d,%d', account.spent, account.held, account.uncertain,
      account.overrun, account.unpriced, account.refused)
    answers[i] = format('[%s,%d,%d,%d]', numbers, account.leased, account.spentBefore,
      account.refusedBefore)
    if account.personal or numbers ~= '0,0,0,0,0,0' or account.leased > 0 then
      changes[#changes + 1] = fields[3 + i]
      changes[#changes + 1] = format('%s,%d,%d', numbers, now, personal)
      if not account.personal then
        local over = math.max(given[2 * i - 1], now) + WEEK
        call('ZADD', index, 0, 'a' .. id)
        call('ZADD', ends, format('%.0f', over), id)
        k, kept, renewed = min(k, over), math.max(kept, over), true
      end
      if personal == 1 and account.personal ~= '1' then
        call('ZADD', index, 0, 'u' .. match(id, '^[^\n]*\n[^\n]*\n(.*)$') .. '\n' .. id)
      end
    end
    if account.leased ~= account.lease then
      local mine, its = 'm' .. member .. '\n' .. id, 'l' .. id .. '\n' .. member
      if account.leased > 0 then
        changes[#changes + 1] = fields[3 + count + i]
        changes[#changes + 1] = format('%d', account.leased)
        if account.lease == 0 then call('ZADD', index, 0, mine, 0, its) end
      else
        call('HDEL', state, fields[3 + count + i])
        call('ZREM', index, mine, its)
      end
    end
  end
  answer = '[[' .. table.concat(answers, ',') .. '],[' .. table.concat(adjusted, ',') .. '],[' ..
    table.concat(refused, ',') .. ']]'
end

changes[#changes + 1] = fields[3]
changes[#changes + 1] = format('%d %d %d %d ', math.max(number, last), expiry, now, look) .. answer
if k ~= knownK then
  changes[#changes + 1] = 'k'
  changes[#changes + 1] = format('%.0f', k)
end
if renewed then
  changes[#changes + 1] = 'u'
  changes[#changes + 1] = format('%.0f', kept)
end
if #changes < 4000 then
  call('HSET', state, unpack(changes))
else
  for i = 1, #changes, 4000 do
    call('HSET', state, unpack(changes, i, min(i + 3999, #changes)))
  end
end
if renewed then
  for _, key in ipairs(KEYS) do
    if kept - now > 1e13 then call('PERSIST', key)
    else call('PEXPIREAT', key, format('%d', kept)) end
  end
end
return answer
`);
